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
#include "harness/cli/offers.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/recorded_power.h"
#include "harness/cli/reports.h"
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

/// GoogleTest's way to learn that a program knows about shards; Bazel demands it.
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

/// Cases whose kernels wait for each other in several ranks.
bool has_ranks(const Case& one) {
  const auto ranks = one.parameters.find("ranks");
  return ranks != one.parameters.end() && ranks->second != "1";
}

/// The processes that hold ranks together: those of a launch by Open MPI on this machine, if somebody asks for ranks and the library knows
/// such groups. Otherwise all ranks of a case are in the process that has the case, as with --shard.
std::optional<Launch> launch_for_ranks(const RunArguments& arguments, const std::vector<Case>& cases, const LibraryInfo& library) {
  if (!arguments.shard.empty() || !library.joins_groups || std::none_of(cases.begin(), cases.end(), has_ranks)) return std::nullopt;
  return launch_of_environment([](const char* name) { return std::getenv(name); });
}

/// Makes the calls that the first process asks for. A process that cannot says so, and the cases of its ranks are broken.
void serve(const Launch& launch, const std::string& library, const WorkerOptions& options) {
  try {
    serve_ranks(launch, library, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: process %d: %s\n", launch.index, printable(error.what()).c_str());
  }
}

}  // namespace

int run_verb(const RunArguments& arguments) {
  const Shard shard = shard_of(arguments);
  Provenance provenance = provenance_of(arguments, shard);
  const Reports reports(arguments.reports, shard);
  std::optional<EarlierRun> earlier;
  if (!arguments.trend.empty()) earlier = read_earlier_run(arguments.trend);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  const std::vector<Case> all = open_cases_for(arguments.selection);
  std::vector<Case> selected = selected_of(all, arguments.selection);
  const auto ended = [] { return ended_by() != nullptr; };
  Backend opened = open_backend({arguments.backend, arguments.in_process, arguments.timeout_seconds, ended});
  const std::optional<Launch> launch = launch_for_ranks(arguments, selected, opened.library);
  const WorkerOptions for_ranks{.timeout_seconds = arguments.timeout_seconds, .ended = ended};
  if (launch && launch->index == 0) opened = with_ranks_in_processes(std::move(opened), *launch, for_ranks);
  const Backend backend = shared_between_threads(std::move(opened));
  for (const std::string& line : offers_without_cases(backend.library, all))
    std::fprintf(stderr, "assay: %s\n", line.c_str());
  RecordedRun recorded{shard, fingerprint(selected), ignores_warp(backend.library), {}};
  if (recorded.once) selected = each_data_once(std::move(selected));
  const std::vector<Case> cases = share_of(selected, shard, launch ? has_ranks : std::function<bool(const Case&)>());
  std::jthread serving;
  if (launch && launch->index > 0) serving = std::jthread(serve, *launch, backend.library.path, for_ranks);
  if (!shard.is_whole()) {
    touch_status_file();
    std::printf("shard %s (%s): %zu of %zu cases%s\n", shard.text().c_str(), shard.source.c_str(), cases.size(), selected.size(),
                launch ? "; ranks are held by all of these processes together" : "");
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
    progress.clear();
    if (reports.to_console() && !as_expected(verdict)) std::printf("%s\n", coloured(failure_text(verdict), colour).c_str());
    progress.step(verdict);
  };
  end_on_signals();
  options.ended = ended_by;
  RunResult result = run_all(all_ops(), cases, backend, options);
  progress.clear();
  if (!result.harness_error.empty())
    std::fprintf(stderr, "assay: the run ended early: %s\n", printable(result.harness_error).c_str());
  reconcile(result);
  provenance.ended = utc_now();
  provenance.ended_early = result.ended_by;
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, records);
  bool all_written = reports.write(result, backend.library, provenance, earlier ? &*earlier : nullptr);
  if (recorder && result.harness_error.empty()) all_written = finished(*recorder, result) && all_written;
  if (reports.to_console())
    std::printf("%s%s", idle_rows_text(ledger, result).c_str(), provenance_text(provenance, backend.library).c_str());
  if (serving.joinable() && cases.empty()) return std::printf("calls of ranks alone are made here\n"), kAllAsExpected;
  std::printf("%s%s", reports.to_console() ? summary_text(result).c_str() : "", coloured(outcome_line(result), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  if (!shard.is_whole() && cases.empty()) return kAllAsExpected;
  const ExitCode code = result.exit_code();
  return code == kAllAsExpected && !all_written ? kHarnessFailed : code;
}

}  // namespace assay
