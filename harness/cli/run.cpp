#include "harness/run/run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "harness/backend/rank_processes.h"
#include "harness/cli/cases_of_ops.h"
#include "harness/cli/ending.h"
#include "harness/cli/execution.h"
#include "harness/cli/offers.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/recorded_power.h"
#include "harness/cli/reports.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/core/shard.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/dump/recording.h"
#include "harness/report/console.h"
#include "harness/report/progress_report.h"
#include "harness/report/reconcile.h"
#include "harness/run/ledger.h"
#include "harness/text/printable.h"
#include "suites/registry.h"

namespace assay {
namespace {

Shard shard_of(const RunArguments& arguments) {
  return arguments.shard.empty() ? shard_of_environment([](const char* name) { return std::getenv(name); })
                                 : parse_shard(arguments.shard);
}

/// Tells GoogleTest and Bazel runners that this program supports shards; Bazel demands it.
void touch_status_file() {
  if (const char* const file = std::getenv("GTEST_SHARD_STATUS_FILE"); file != nullptr && *file != '\0')
    std::ofstream(file, std::ios::app);
}

bool finished(const Recorder& recorder, const RunResult& result) {
  try {
    recorder.finish(result);
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: %s\n", printable(error.what()).c_str());
    return false;
  }
}

/// Whether the kernels of a case wait for each other in several ranks.
bool has_ranks(const Case& one) {
  const auto ranks = one.parameters.find("ranks");
  return ranks != one.parameters.end() && ranks->second != "1";
}

/// The processes that may hold ranks together: those of a launch by Open MPI on this machine. They do so if somebody asks for ranks and the
/// library knows such groups. Otherwise all ranks of a case are in the process that has the case, as with --shard.
std::optional<Launch> launch_for_ranks(const RunArguments& arguments) {
  if (!arguments.shard.empty()) return std::nullopt;
  return launch_of_environment([](const char* name) { return std::getenv(name); });
}

/// A library by path or in Python runs in workers, and may do to this process what it likes: a supervisor is in front of it.
bool is_supervised(const RunArguments& arguments) { return is_in_worker({arguments.backend, arguments.in_process}); }

/// Writes the reports of a killed run: the verdicts so far, marked incomplete.
void report_killed(const RunArguments& arguments, const KilledRun& killed) {
  const Shard shard = shard_of(arguments);
  Provenance provenance = provenance_of(arguments, shard);
  add_library(provenance, killed.library);
  provenance.ended = utc_now();
  provenance.ended_early = killed.result.ended_by;
  const Reports reports(arguments.reports, shard);
  (void)reports.write(killed.result, killed.library, provenance);
  std::printf("%s%s", reports.to_console() ? summary_text(killed.result).c_str() : "",
              coloured(outcome_line(killed.result), wants_colour(STDOUT_FILENO)).c_str());
}

int run_under(const Supervised& supervisor, const RunArguments& arguments) {
  const Shard shard = shard_of(arguments);
  std::optional<RankMeeting> meeting;  // created before anything that may end this process, so that the others notice
  if (const std::optional<Launch> launch = launch_for_ranks(arguments)) meeting.emplace(*launch);
  Provenance provenance = provenance_of(arguments, shard);
  const Reports reports(arguments.reports, shard);
  std::optional<EarlierRun> earlier;
  if (!arguments.trend.empty()) earlier = read_earlier_run(arguments.trend);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  const std::vector<Case> all = open_cases_for(arguments.suites, arguments.selection);
  std::vector<Case> selected = selected_of(all, arguments.selection);
  const auto ended = [] { return ended_by() != nullptr; };
  CodeObjectExecution execution(arguments.execute);
  Backend opened = open_backend(*arguments.suites.ops, {execution.library_of(arguments.backend), arguments.in_process, arguments.timeout_seconds, ended});
  if (!opened.library.joins_groups || std::none_of(selected.begin(), selected.end(), has_ranks)) meeting.reset();
  execution.demand(opened.library);
  execution.repeat_calls(opened, [&](const std::string& path) { return open_backend(*arguments.suites.ops, {path, false, arguments.timeout_seconds, ended}); });
  const WorkerOptions for_ranks{.timeout_seconds = arguments.timeout_seconds, .ended = ended};
  if (meeting && meeting->launch().index == 0) opened = meeting->with_ranks(std::move(opened), for_ranks);
  opened.call = [call = std::move(opened.call), &supervisor](const CallRequest& request) {
    supervisor.calls(request);
    return call(request);
  };
  const Backend backend = shared_between_threads(std::move(opened));
  if (const std::string line = offers_without_cases(backend.library, all); !line.empty()) std::fprintf(stderr, "assay: %s\n", line.c_str());
  RecordedRun recorded{shard, fingerprint(selected), ignores_warp(backend.library), {}};
  if (recorded.once) selected = each_data_once(std::move(selected));
  const std::vector<Case> cases = share_of(selected, shard, meeting ? has_ranks : std::function<bool(const Case&)>());
  if (meeting && meeting->launch().index > 0)
    meeting->serve(backend.library.path, for_ranks, [index = meeting->launch().index](const std::string& problem) {
      std::fprintf(stderr, "assay: process %d: %s\n", index, printable(problem).c_str());
    });
  if (!shard.is_whole()) {
    touch_status_file();
    std::printf("shard %s (%s): %zu of %zu cases%s\n", shard.text().c_str(), shard.source.c_str(), cases.size(), selected.size(),
                meeting ? "; ranks are held by all of these processes together" : "");
  }
  add_library(provenance, backend.library);

  ProgressReport progress(cases.size());
  const bool colour = wants_colour(STDOUT_FILENO);
  RunOptions options;
  options.ledger = &ledger;
  options.each.repeat = arguments.repeat;
  options.each.ladder = arguments.ladder;
  const PowerRecords records = arguments.reckon_power ? PowerRecords() : recorded_power(cases);
  options.each.power = power_of_data([&](const Case& one) { return records.find(one); });
  options.each.diagnose = look_for_causes(backend);
  std::optional<Recorder> recorder;
  if (!arguments.record.empty()) {
    recorder.emplace(arguments.record, backend, recorded);
    options.each.record = [&](const Evidence& evidence, const Verdict& verdict) { recorder->write(evidence, verdict); };
  }
  options.kernel_glob = arguments.kernel;
  options.threads = int(std::max(1u, std::thread::hardware_concurrency()));
  options.on_verdict = [&](const Verdict& verdict) {
    supervisor.judged(verdict);
    progress.clear();
    if (reports.to_console() && !as_expected(verdict)) std::printf("%s\n", coloured(failure_text(verdict), colour).c_str());
    progress.step(verdict);
  };
  end_on_signals();
  supervisor.begin(backend.library);
  options.ended = ended_by;
  RunResult result = run_all(arguments.suites.ops->all(), cases, backend, options);
  progress.clear();
  if (!result.harness_error.empty())
    std::fprintf(stderr, "assay: the run ended early: %s\n", printable(result.harness_error).c_str());
  reconcile(result);
  provenance.ended = utc_now();
  provenance.ended_early = result.ended_by;
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, records);
  LibraryInfo library = backend.library;
  if (execution.is_asked()) library.notes.push_back(execution.summary(library));
  bool all_written = reports.write(result, library, provenance, earlier ? &*earlier : nullptr);
  if (recorder && result.harness_error.empty()) all_written = finished(*recorder, result) && all_written;
  supervisor.wrote_reports();
  if (reports.to_console())
    std::printf("%s%s", idle_rows_text(ledger, result).c_str(), provenance_text(provenance, library).c_str());
  if (meeting && meeting->serves() && cases.empty()) return std::printf("this process only makes the calls of its ranks\n"), kAllAsExpected;
  std::printf("%s%s", reports.to_console() ? summary_text(result).c_str() : "", coloured(outcome_line(result), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  if (!shard.is_whole() && cases.empty()) return kAllAsExpected;
  const ExitCode code = result.exit_code();
  return code == kAllAsExpected && !all_written ? kHarnessFailed : code;
}

}  // namespace

int run_verb(const RunArguments& arguments) {
  if (!is_supervised(arguments)) return run_under(Supervised(), arguments);
  return supervised([&](const Supervised& supervisor) { return run_under(supervisor, arguments); },
                    [&](const KilledRun& killed) { report_killed(arguments, killed); });
}

}  // namespace assay
