// Reports of a command line: opened before the run, written after it. Each is written even if another fails.
#pragma once

#include <string>
#include <vector>

#include "harness/core/shard.h"
#include "harness/report/report.h"
#include "harness/run/run.h"

namespace assay {

class Reports {
 public:
  /// Throws UsageError for an unknown report, a file that cannot be written, and two reports with one file.
  explicit Reports(const std::vector<std::string>& texts, const Shard& shard = {});

  bool to_console() const { return to_console_; }

  /// Writes all reports that can be written. Failures go to stderr and make the result false.
  bool write(const RunResult& result, const LibraryInfo& library, const Provenance& provenance, const EarlierRun* earlier = nullptr) const;

 private:
  std::vector<ReportRequest> requests_;
  bool to_console_ = false;
};

}  // namespace assay
