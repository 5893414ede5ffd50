// Reports of a run: what --report may name, and who writes it.
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

/// Reads "console", or "csv:FILE" and its like. Throws UsageError that lists what there is.
ReportRequest parse_report(const std::string& text);

/// Writes the file reports, each in one piece; that for a browser says what changed since `earlier`, if there is one. Throws
/// std::runtime_error naming a file that cannot be written.
void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library,
                   const Provenance& provenance, const EarlierRun* earlier = nullptr);

}  // namespace assay
