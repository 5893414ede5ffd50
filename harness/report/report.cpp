#include "harness/report/report.h"

#include <fmt/format.h>

#include "harness/report/csv.h"
#include "harness/report/html/html.h"
#include "harness/report/json.h"
#include "harness/report/junit.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"

namespace assay {

namespace {

struct FileKind {
  const char* word;
  ReportKind kind;
};

constexpr FileKind kFileKinds[] = {
    {"csv", ReportKind::kCsv}, {"junit", ReportKind::kJunit}, {"json", ReportKind::kJson}, {"html", ReportKind::kHtml}};

std::string text_of(ReportKind kind, const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                    const EarlierRun* earlier) {
  switch (kind) {
    case ReportKind::kConsole:
      break;
    case ReportKind::kCsv:
      return csv_text(result, library, provenance);
    case ReportKind::kJunit:
      return junit_text(result, library, provenance);
    case ReportKind::kJson:
      return json_text(result, library, provenance);
    case ReportKind::kHtml:
      return html_text(result, library, provenance, earlier);
  }
  return "";
}

}  // namespace

ReportRequest parse_report(const std::string& text) {
  std::string known = "reports: console";
  for (const FileKind& kind : kFileKinds) known += fmt::format(", {}:FILE", kind.word);
  const size_t colon = text.find(':');
  const std::string word = text.substr(0, colon);
  const std::string file = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (word == "console") {
    if (colon != std::string::npos) throw UsageError(fmt::format("--report {}: console goes to no file; {}", text, known));
    return {ReportKind::kConsole, ""};
  }
  for (const FileKind& kind : kFileKinds) {
    if (word != kind.word) continue;
    if (file.empty()) throw UsageError(fmt::format("--report {}: a file name is missing; {}", text, known));
    return {kind.kind, file};
  }
  throw UsageError(fmt::format("--report {}: unknown report '{}'; {}", text, word, known));
}

void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library,
                   const Provenance& provenance, const EarlierRun* earlier) {
  for (const ReportRequest& request : requests) {
    if (!request.file.empty()) write_atomically(request.file, text_of(request.kind, result, library, provenance, earlier));
  }
}

}  // namespace assay
