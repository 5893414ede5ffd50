#include "harness/core/run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/verbs.h"
#include "harness/core/ledger.h"
#include "harness/core/shard.h"
#include "harness/diagnosis/looking.h"
#include "harness/dump/recording.h"
#include "harness/report/console.h"
#include "harness/report/progress_report.h"
#include "harness/report/reconcile.h"
#include "harness/report/report.h"
#include "suites/registry.h"

namespace assay {
namespace {

Shard shard_of(const RunArguments& arguments) {
  return arguments.shard.empty() ? shard_of_environment([](const char* name) { return std::getenv(name); })
                                 : parse_shard(arguments.shard);
}

/// GoogleTest's way to learn that a program knows about shards; Bazel demands it.
void touch_status_file() {
  if (const char* const file = std::getenv("GTEST_SHARD_STATUS_FILE"); file != nullptr && *file != '\0')
    std::ofstream(file, std::ios::app);
}

}  // namespace

int run_verb(const RunArguments& arguments) {
  const Shard shard = shard_of(arguments);
  Provenance provenance = provenance_of(arguments, shard);
  std::vector<ReportRequest> reports;
  for (const std::string& text : arguments.reports) {
    reports.push_back(parse_report(text));
    if (!reports.back().file.empty()) reports.back().file = shard.path(reports.back().file);
  }
  std::optional<EarlierRun> earlier;
  if (!arguments.trend.empty()) earlier = read_earlier_run(arguments.trend);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  const bool to_console = reports.empty() || std::any_of(reports.begin(), reports.end(),
                                                         [](const ReportRequest& r) { return r.kind == ReportKind::kConsole; });
  const std::vector<Case> selected = open_selected_cases(arguments.selection);
  const std::vector<Case> cases = share_of(selected, shard);
  if (!shard.is_whole()) {
    touch_status_file();
    std::printf("shard %s (%s): %zu of %zu cases\n", shard.text().c_str(), shard.source.c_str(), cases.size(), selected.size());
    if (cases.empty()) return kAllAsExpected;
  }
  const Backend backend =
      shared_between_threads(open_backend({arguments.backend, arguments.in_process, arguments.timeout_seconds}));
  add_library(provenance, backend.library);

  ProgressReport progress(cases.size());
  const bool colour = wants_colour(STDOUT_FILENO);
  RunOptions options;
  options.ledger = &ledger;
  options.each.repeat = arguments.repeat;
  options.each.ladder = arguments.ladder;
  options.each.power = power_of_data();
  options.each.diagnose = look_for_causes(backend);
  std::optional<Recorder> recorder;
  if (!arguments.record.empty()) {
    recorder.emplace(shard.path(arguments.record), backend);
    options.each.record = [&](const Evidence& evidence, const Verdict& verdict) { recorder->write(evidence, verdict); };
  }
  options.kernel_glob = arguments.kernel;
  options.threads = int(std::max(1u, std::thread::hardware_concurrency()));
  options.on_verdict = [&](const Verdict& verdict) {
    progress.clear();
    if (to_console && !as_expected(verdict)) std::printf("%s\n", coloured(failure_text(verdict), colour).c_str());
    progress.step(verdict);
  };
  RunResult result = run_all(all_ops(), cases, backend, options);
  progress.clear();
  if (recorder && result.harness_error.empty()) recorder->finish(result);
  if (!result.harness_error.empty()) std::fprintf(stderr, "assay: the run ended early: %s\n", result.harness_error.c_str());
  reconcile(result);
  provenance.ended = utc_now();
  write_reports(reports, result, backend.library, provenance, earlier ? &*earlier : nullptr);
  if (to_console)
    std::printf("%s%s", idle_rows_text(ledger, result).c_str(), provenance_text(provenance, backend.library).c_str());
  std::printf("%s%s", to_console ? summary_text(result).c_str() : "", coloured(outcome_line(result), colour).c_str());
  return result.exit_code();
}

}  // namespace assay
