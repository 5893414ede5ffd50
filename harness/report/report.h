// Reports of a run: parses --report and writes the files.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/report/provenance.h"
#include "harness/report/trend.h"
#include "harness/run/run.h"

namespace assay {

enum class ReportKind { kConsole, kCsv, kJunit, kJson, kHtml };

struct ReportRequest {
  ReportKind kind;
  std::string file;  ///< empty for the console
};

/// Parses "console", "csv:FILE", "html:FILE" and so on. Throws UsageError that lists the kinds.
ReportRequest parse_report(const std::string& text);

/// Writes each file report as a whole. The HTML report shows changes since `earlier`, if given. Throws std::runtime_error naming
/// a file that cannot be written.
void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library,
                   const Provenance& provenance, const EarlierRun* earlier = nullptr);

}  // namespace assay
