// The reports that a command line asks for: opened before the run, written after it, each whatever becomes of the others.
#pragma once

#include <string>
#include <vector>

#include "harness/core/shard.h"
#include "harness/report/report.h"
#include "harness/run/run.h"

namespace assay {

class Reports {
 public:
  /// Throws UsageError for a text that names no report, a file that cannot be written, and one that two reports go to.
  explicit Reports(const std::vector<std::string>& texts, const Shard& shard = {});

  bool to_console() const { return to_console_; }

  /// Writes all that can be written. What cannot is told on stderr; false then.
  bool write(const RunResult& result, const LibraryInfo& library, const Provenance& provenance, const EarlierRun* earlier = nullptr) const;

 private:
  std::vector<ReportRequest> requests_;
  bool to_console_ = false;
};

}  // namespace assay
