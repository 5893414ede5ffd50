#include "harness/report/report.h"

#include <fmt/format.h>

#include "harness/core/atomic_file.h"
#include "harness/core/error.h"
#include "harness/report/csv.h"
#include "harness/report/junit.h"
#include "reference/formats/catalogue.h"

namespace assay {

ReportRequest parse_report(const std::string& text) {
  constexpr const char* kKnown = "reports: console, csv:FILE, junit:FILE";
  const size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const std::string file = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "console") {
    if (colon != std::string::npos) throw UsageError(fmt::format("--report {}: console goes to no file; {}", text, kKnown));
    return {ReportKind::kConsole, ""};
  }
  if (kind != "csv" && kind != "junit") throw UsageError(fmt::format("--report {}: unknown report '{}'; {}", text, kind, kKnown));
  if (file.empty()) throw UsageError(fmt::format("--report {}: a file name is missing; {}", text, kKnown));
  return {kind == "csv" ? ReportKind::kCsv : ReportKind::kJunit, file};
}

void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library) {
  for (const ReportRequest& request : requests) {
    if (request.kind == ReportKind::kCsv) write_atomically(request.file, csv_text(result));
    if (request.kind == ReportKind::kJunit) write_atomically(request.file, junit_text(result, library));
  }
}

std::string shape_text(const std::array<int64_t, 2>& shape) { return fmt::format("[{}, {}]", shape[0], shape[1]); }

std::string code_text(const std::string& format, uint32_t code, double value) {
  const Format* known = find_format(format);
  return fmt::format("0x{:0{}x} = {:.9g}", code, known != nullptr ? known->bits / 4 : 8, value);
}

std::string headline(const Verdict& verdict) {
  std::string text = verdict.message;
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.agrees()) continue;
    text += text.empty() ? "" : "; ";
    if (finding.outside > 0) {
      text += fmt::format("{}: {} of {} elements outside, worst {} ulp at {}", finding.name, finding.outside, finding.elements,
                          finding.worst_ulps, shape_text(finding.worst.at));
    }
    if (finding.padding_wrong > 0) {
      text +=
          fmt::format("{}{}: {} padding elements wrong", finding.outside > 0 ? ", " : "", finding.name, finding.padding_wrong);
    }
  }
  return text;
}

}  // namespace assay
