// assay history FILE: shows since which run cases fail, flip or return other bits. Also implements --history of run and judge.
#include "harness/history/history.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "harness/cli/run_reports.h"
#include "harness/cli/verbs.h"
#include "harness/history/history_view.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {

std::string commit_of_kernels(const std::string& given) {
  if (!given.empty()) return given;
  for (const char* const variable : {"GITHUB_SHA", "CI_COMMIT_SHA"})
    if (const char* const value = std::getenv(variable); value != nullptr && *value != '\0') return value;
  return "";
}

namespace {

/// The options that select cases and kernels, as text. Two runs with the same text selected the same cases.
std::string selection_text(const Selection& selection, const UserTables& tables, const std::string& tier,
                           const std::string& kernel) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, shell_word(value));
  };
  for (const std::string& suite : selection.suites) add("suite", suite);
  for (const std::string& glob : selection.cases) add("case", glob);
  for (const std::string& file : tables.cases) add("cases", file);
  add("arch", selection.arch);
  add("warp", selection.warp);
  add("tier", tier);
  add("kernel", kernel == "*" ? "" : kernel);
  return text;
}

}  // namespace

RunHistory::RunHistory(const RunArguments& arguments)
    : file_(arguments.history),
      commit_(commit_of_kernels(arguments.commit)),
      selection_(selection_text(arguments.selection, arguments.suites.tables, arguments.tier, arguments.kernel)),
      is_recorded_(!arguments.record.empty()) {
  if (is_asked()) History(file_, History::Access::kWrite);
}

RunHistory::RunHistory(const JudgeArguments& arguments)
    : file_(arguments.history),
      commit_(commit_of_kernels(arguments.commit)),
      selection_(selection_text(arguments.selection, arguments.suites.tables, "", "")) {
  if (is_asked()) History(file_, History::Access::kWrite);
}

std::optional<EarlierRun> RunHistory::earlier(const LibraryInfo& library) const {
  if (!is_asked()) return std::nullopt;
  HistoryRun now;
  now.chip = library.arch, now.device = library.device;
  const History history(file_, History::Access::kRead);
  if (history.newest(now.chip_text()).empty()) return std::nullopt;
  return earlier_run(history, file_, now.chip_text());
}

void RunHistory::note(const Evidence& evidence, const Verdict& verdict) {
  if ((!is_asked() && !is_recorded_) || evidence.result == nullptr) return;
  std::string digest = output_digest(*evidence.result);
  const std::lock_guard lock(mutex_);
  digests_[{verdict.case_id, verdict.kernel}] = std::move(digest);
}

RunIdentity RunHistory::identity(const RunResult& result, const Provenance& provenance) const {
  std::string text;
  const auto add = [&](const std::string& part) { text.append(part).append(1, '\0'); };
  for (const std::string* part :
       {&provenance.begun, &provenance.host, &provenance.share, &provenance.command, &provenance.library.digest})
    add(*part);
  for (const Verdict& v : result.verdicts) {
    const auto digest = digests_.find({v.case_id, v.kernel});
    add(v.case_id), add(v.kernel), add(name(v.outcome)), add(digest == digests_.end() ? "" : digest->second);
  }
  return {digest_text(text), provenance.begun, provenance.library.digest, commit_};
}

bool RunHistory::add(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                     const std::string& identity) const {
  if (!is_asked()) return true;
  try {
    HistoryRun run = history_run(result, library, provenance, commit_, selection_);
    run.identity = identity;
    History(file_, History::Access::kWrite).add(run, history_verdicts(result, digests_));
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: --history: %s\n", printable(error.what()).c_str());
    return false;
  }
}

std::optional<EarlierRun> earlier_run_of(const std::string& path) {
  if (path.empty()) return std::nullopt;
  return is_history(path) ? earlier_run(History(path, History::Access::kRead), path) : read_earlier_run(path);
}

int history_verb(const HistoryArguments& arguments) {
  std::vector<ReportRequest> reports;
  for (const std::string& text : arguments.reports) {
    reports.push_back(parse_report(text));
    const ReportKind kind = reports.back().kind;
    if (kind != ReportKind::kConsole && kind != ReportKind::kHtml)
      throw UsageError("--report " + text + ": expected console or html:FILE");
    if (kind == ReportKind::kHtml) require_writable(reports.back().file);
  }
  if (reports.empty()) reports.push_back({ReportKind::kConsole, ""});
  const History history(arguments.file, History::Access::kRead);
  const HistoryData data =
      history.read({arguments.cases, arguments.contracts, arguments.kernels, arguments.chips, arguments.last});
  if (data.runs.empty())
    throw UsageError(arguments.file + ": the history has no run" +
                     (arguments.chips.empty() ? "" : " on a chip that matches --chip"));
  if (data.series.empty())
    throw UsageError(arguments.file + ": no verdict matches --case, --contract and --kernel; see: assay history " +
                     shell_word(arguments.file) + " --all");
  for (const ReportRequest& report : reports) {
    if (report.kind == ReportKind::kConsole) std::printf("%s", history_text(data, arguments.file, arguments.everything).c_str());
    if (report.kind == ReportKind::kHtml) write_atomically(report.file, history_page(data, arguments.file));
  }
  return kAllAsExpected;
}

}  // namespace assay
