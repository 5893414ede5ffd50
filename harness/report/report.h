// Reports of a run: what --report may name, and who writes it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/backend/call.h"
#include "harness/core/run.h"

namespace assay {

enum class ReportKind { kConsole, kCsv, kJunit };

struct ReportRequest {
  ReportKind kind;
  std::string file;  ///< empty for the console
};

/// Reads "console", "csv:FILE" or "junit:FILE". Throws UsageError that lists what there is.
ReportRequest parse_report(const std::string& text);

/// Writes the file reports, each in one piece. Throws std::runtime_error naming a file that cannot be written.
void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library);

/// "[2, 256]"
std::string shape_text(const std::array<int64_t, 2>& shape);

/// Code and value as everywhere in reports: "0xd5 = -13".
std::string code_text(const std::string& format, uint32_t code, double value);

/// One line that says what is wrong with a verdict: its message, or the tensors that do not agree.
std::string headline(const Verdict& verdict);

}  // namespace assay
