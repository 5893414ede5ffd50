#include "harness/run/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "harness/backend/rank_processes.h"
#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/core/call.h"
#include "harness/core/cases.h"
#include "harness/core/tensor.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/recording.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/report/progress_report.h"
#include "harness/text/messages.h"
#include "suites/registry.h"

namespace assay {

// --execute: plug-ins load libassay_hip_runtime.so, which executes AMD code objects on the CPU. This class tells it the
// architecture, and collects which approximate instructions were executed and whether outputs depend on their rounding.

class CodeObjectExecution {
 public:
  /// `text`: "ARCH[,OPTION...]"; empty: without --execute. Sets the environment of this process and of its workers. For approximate=each,
  /// repeat_calls() makes every call again, with results of approximate instructions one ULP higher and one ULP lower.
  explicit CodeObjectExecution(const std::string& text);
  ~CodeObjectExecution();
  CodeObjectExecution(const CodeObjectExecution&) = delete;

  bool is_asked() const { return !architecture_.empty(); }
  /// The back end to open: with --execute, "hip_executed" (libassay_hip_executed.so) in place of "hip".
  std::string library_of(const std::string& backend) const { return is_asked() && backend == "hip" ? "hip_executed" : backend; }
  /// Throws UsageError if --execute was given and the library is not linked to libassay_hip_runtime.so.
  void demand(const LibraryInfo& library) const;
  /// For approximate=each: from now on, each call of `backend` is repeated in two more processes. `open` opens a library by its path.
  void repeat_calls(Backend& backend, const std::function<Backend(const std::string& path)>& open);
  /// "executed code objects of gfx942 by assay_gcn 1; approximate instructions: v_rcp_f32; ...", for reports.
  std::string summary(const LibraryInfo& library) const;

 private:
  std::string text_, architecture_, options_, notes_;
  bool repeats_ = false;
  std::vector<Backend> others_;
  int64_t calls_ = 0, dependent_ = 0;
};

namespace {

constexpr const char* kDevice = " executed on the CPU by ";  // part of the device name that libassay_hip_runtime.so reports

bool same_outputs(const CallResult& a, const CallResult& b) {
  if (a.status != b.status || a.outputs.size() != b.outputs.size()) return false;
  for (size_t i = 0; i < a.outputs.size(); ++i)
    if (a.outputs[i].bytes != b.outputs[i].bytes) return false;
  return true;
}

}  // namespace

CodeObjectExecution::CodeObjectExecution(const std::string& text) : text_(text) {
  if (text.empty()) return;
  std::istringstream words(text);
  std::getline(words, architecture_, ',');
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "approximate=each") repeats_ = true;
    else options_ += (options_.empty() ? "" : ",") + word;
  }
  setenv("ASSAY_EXECUTE", architecture_.c_str(), 1);
  setenv("ASSAY_EXECUTE_OPTIONS", options_.c_str(), 1);
  std::string name = (std::filesystem::temp_directory_path() / "assay-execute-XXXXXX").string();
  const int file = mkstemp(name.data());
  if (file < 0) return;
  close(file);
  notes_ = name;
  setenv("ASSAY_EXECUTE_NOTES", notes_.c_str(), 1);
}

CodeObjectExecution::~CodeObjectExecution() {
  if (!notes_.empty()) std::filesystem::remove(notes_);
}

void CodeObjectExecution::demand(const LibraryInfo& library) const {
  if (is_asked() && library.device.find(kDevice) == std::string::npos)
    throw UsageError("--execute " + text_ + ": expected a library that is linked to libassay_hip_runtime.so, got " +
                     library.path + " on device '" + library.device +
                     "'; try --backend hip, or link it with -lassay_hip_runtime");
}

void CodeObjectExecution::repeat_calls(Backend& backend, const std::function<Backend(const std::string& path)>& open) {
  if (!repeats_) return;
  for (const char* rounding : {"up", "down"}) {
    setenv("ASSAY_EXECUTE_OPTIONS", fmt::format("{}{}approximate={}", options_, options_.empty() ? "" : ",", rounding).c_str(),
           1);
    others_.push_back(open(std::filesystem::absolute(backend.library.path).string()));
  }
  setenv("ASSAY_EXECUTE_OPTIONS", options_.c_str(), 1);
  backend.call = [this, call = std::move(backend.call)](const CallRequest& request) {
    CallResult result = call(request);
    if (result.status != CallStatus::kOk) return result;
    const bool depends = std::any_of(others_.begin(), others_.end(),
                                     [&](const Backend& other) { return !same_outputs(result, other.call(request)); });
    ++calls_;
    dependent_ += depends;
    return result;
  };
}

std::string CodeObjectExecution::summary(const LibraryInfo& library) const {
  if (!is_asked()) return {};
  std::set<std::string> approximate;
  std::ifstream notes(notes_);
  for (std::string line; std::getline(notes, line);) approximate.insert(line);
  const size_t by = library.device.find(kDevice);
  std::string text = fmt::format("executed code objects of {} by {}; approximate instructions: {}", architecture_,
                                 by == std::string::npos ? "?" : library.device.substr(by + std::string(kDevice).size()),
                                 approximate.empty() ? std::string("none") : fmt::format("{}", fmt::join(approximate, " ")));
  if (const size_t at = options_.find("matrix="); at != std::string::npos)
    text += "; tensor cores follow model " + options_.substr(at + 7, options_.find(',', at) - at - 7);
  if (repeats_)
    return text + fmt::format("; if the results of these instructions change by one ULP, outputs of {} of {} calls change",
                              dependent_, calls_);
  return approximate.empty() ? text : text + "; option approximate=each says whether outputs depend on them";
}

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

bool finished(const Recorder& recorder, const RunResult& result, const RunIdentity& identity) {
  try {
    recorder.finish(result, identity);
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: %s\n", printable(error.what()).c_str());
    return false;
  }
}

/// Whether a case has several ranks, whose kernels wait for each other.
bool has_ranks(const Case& one) {
  const auto ranks = one.parameters.find("ranks");
  return ranks != one.parameters.end() && ranks->second != "1";
}

/// The processes of an Open MPI launch on this machine, over which the ranks of a case may be distributed. Empty without such a
/// launch, or with --shard: then the process that runs a case calls all of its ranks. run_under() also requires a library that
/// supports groups of processes.
std::optional<Launch> launch_for_ranks(const RunArguments& arguments) {
  if (!arguments.shard.empty()) return std::nullopt;
  return launch_of_environment([](const char* name) { return std::getenv(name); });
}

/// Whether a supervisor process watches the run: true for a library given by path and for kernels in Python, which run in workers
/// but may still kill this process.
bool is_supervised(const RunArguments& arguments) { return is_in_worker({arguments.backend, arguments.in_process}); }

/// A function that is true for a case if some kernel of the library offers its op and contract.
std::function<bool(const Case&)> offered_by(const LibraryInfo& library) {
  std::set<std::pair<std::string, std::string>> offered;
  for (const KernelOffer& kernel : library.kernels)
    for (const std::string& contract : kernel.contracts) offered.insert({kernel.op, contract});
  return [offered = std::move(offered)](const Case& one) { return offered.contains({one.op, one.text("contract")}); };
}

/// Writes the reports of a killed run: the verdicts so far, marked incomplete.
void report_killed(const RunArguments& arguments, const KilledRun& killed) {
  const Shard shard = shard_of(arguments);
  Provenance provenance = provenance_of(arguments, shard);
  add_library(provenance, killed.library);
  provenance.ended = utc_now();
  provenance.ended_early = killed.result.ended_by;
  const Reports reports(arguments.reports, shard);
  (void)reports.write(killed.result, killed.library, provenance);
  const bool colour = wants_colour(STDOUT_FILENO);
  if (reports.to_console())
    std::printf("%s%s", failures_text(killed.result, arguments.shown, colour).c_str(),
                summary_text(killed.result, arguments.shown).c_str());
  std::printf("%s", coloured(outcome_line(killed.result), colour).c_str());
  const RunHistory history(arguments);
  (void)history.add(killed.result, killed.library, provenance, history.identity(killed.result, provenance).id);
}

/// The options that a repro line needs besides case and kernel.
std::string repro_options(const RunArguments& arguments) {
  std::string options;
  if (arguments.repeat > 1) options += fmt::format(" --repeat {}", arguments.repeat);
  if (arguments.ladder) options += " --ladder";
  if (arguments.rerun_failed > 0) options += fmt::format(" --rerun-failed {}", arguments.rerun_failed);
  if (arguments.timeout_seconds != RunArguments().timeout_seconds)
    options += fmt::format(" --timeout {}", arguments.timeout_seconds);
  if (!arguments.execute.empty()) options += " --execute " + shell_word(arguments.execute);
  return options;
}

/// Says which case of the user's own tables is too large for this machine. Returns whether there is such a case.
bool said_too_large(const RunArguments& arguments, const RunResult& result) {
  if (arguments.suites.tables.cases.empty())
    return false;  // a shipped case that does not fit into a small machine is no error of the user
  const auto found = std::find_if(result.verdicts.begin(), result.verdicts.end(), [](const Verdict& verdict) {
    return verdict.outcome == Outcome::kNotJudged && verdict.message.find(TooLargeError::kBegin) != std::string::npos;
  });
  if (found == result.verdicts.end()) return false;
  std::fprintf(
      stderr, "assay: %s\n",
      printable(found->origin + ": the case " + found->message.substr(found->message.find(TooLargeError::kBegin))).c_str());
  return true;
}

int run_under(const Supervised& supervisor, const RunArguments& arguments) {
  const Shard shard = shard_of(arguments);
  std::optional<RankMeeting>
      meeting;  // made first, so that the other processes notice if anything below ends this process
  if (const std::optional<Launch> launch = launch_for_ranks(arguments)) meeting.emplace(*launch);
  Provenance provenance = provenance_of(arguments, shard);
  const Reports reports(arguments.reports, shard);
  RunHistory history(arguments);
  std::optional<EarlierRun> earlier = earlier_run_of(arguments.trend);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  const std::vector<Case> all = open_cases_for(arguments.suites, arguments.selection);
  std::vector<Case> selected = selected_of(all, arguments.selection);
  const auto ended = [] { return ended_by() != nullptr; };
  CodeObjectExecution execution(arguments.execute);
  Backend opened = open_backend(
      *arguments.suites.ops, {execution.library_of(arguments.backend), arguments.in_process, arguments.timeout_seconds, ended});
  CasesOfTiers tiers = cases_of_tiers(std::move(selected), arguments.selection, arguments.tier, offered_by(opened.library));
  selected = std::move(tiers.chosen);
  if (!opened.library.joins_groups || std::none_of(selected.begin(), selected.end(), has_ranks)) meeting.reset();
  execution.demand(opened.library);
  execution.repeat_calls(opened, [&](const std::string& path) {
    return open_backend(*arguments.suites.ops, {path, false, arguments.timeout_seconds, ended});
  });
  const WorkerOptions for_ranks{.timeout_seconds = arguments.timeout_seconds, .ended = ended};
  if (meeting && meeting->launch().index == 0) opened = meeting->with_ranks(std::move(opened), for_ranks);
  std::mutex one_call;  // held during a call, because the supervisor tracks only one call at a time
  opened.call = [call = std::move(opened.call), &supervisor, &one_call](const CallRequest& request) {
    const std::lock_guard lock(one_call);
    supervisor.calls(request);
    return call(request);
  };
  const Backend& backend = opened;
  if (const std::string line = offers_without_cases(backend.library, all); !line.empty())
    std::fprintf(stderr, "assay: %s\n", line.c_str());
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
                meeting ? "; the ranks of a case are distributed over all processes of this Open MPI launch" : "");
  }
  add_library(provenance, backend.library);
  if (!earlier) earlier = history.earlier(backend.library);

  ProgressReport progress(cases.size());
  const bool colour = wants_colour(STDOUT_FILENO);
  RunOptions options;
  options.ledger = &ledger;
  options.each.repeat = arguments.repeat;
  options.each.ladder = arguments.ladder;
  options.each.rerun_failed = arguments.rerun_failed;
  options.each.repro_options = repro_options(arguments);
  // Python's assay.run sets this variable to the environment that the repro command needs; a shell user has exported it already.
  if (const char* const needs = std::getenv("ASSAY_REPRO_ENVIRONMENT"); needs != nullptr && *needs != '\0')
    options.each.repro_environment = std::string(needs) + " ";
  const PowerRecords records = arguments.reckon_power ? PowerRecords() : recorded_power(cases);
  options.each.power = power_of_data([&](const Case& one) { return records.find(one); });
  options.each.diagnose = look_for_causes(backend, diagnosis_budget(arguments.diagnose), other_contracts);
  std::optional<Recorder> recorder;
  if (!arguments.record.empty()) recorder.emplace(arguments.record, backend, recorded);
  if (recorder || history.is_asked())
    options.each.record = [&](const Evidence& evidence, const Verdict& verdict) {
      if (recorder) recorder->write(evidence, verdict);
      history.note(evidence, verdict);
    };
  options.kernel_glob = arguments.kernel;
  options.threads = int(std::max(1u, std::thread::hardware_concurrency()));
  constexpr int kCallsInARow = 256;   // some kernel bugs occur only in every 256th call
  constexpr int kCallsInRows = 4096;  // for all kernels together: 16 kernels get 256 calls each, more kernels get fewer each
  options.calls_in_a_row = execution.is_asked() ? 0 : kCallsInARow;  // executed code objects are slow and have no state
  options.calls_in_rows = kCallsInRows;
  options.on_judged = [&](const Verdict& verdict) {
    supervisor.judged_first(verdict);
    progress.judged(verdict);
  };
  options.on_verdict = [&](const Verdict& verdict) {
    supervisor.judged(verdict);
    progress.step(verdict);
  };
  end_on_signals();
  supervisor.begin(backend.library);
  options.ended = ended_by;
  RunResult result = run_all(arguments.suites.ops->all(), cases, backend, options);
  progress.clear();
  if (!result.harness_error.empty())
    std::fprintf(stderr, "assay: the run ended early: %s\n", printable(result.harness_error).c_str());
  const std::string table_note =
      add_verdicts_of_tables(arguments.suites, arguments.selection, shard.is_whole(), cases, ledger, result);
  add_stale_rows(arguments.suites, ledger, all, arguments.strict, result);
  reconcile(result, exposed_by_data(arguments.suites.ops->all(), cases));
  if (is_supervised(arguments) && !meeting && result.ended_by.empty() && result.harness_error.empty())
    repeat_alone(*arguments.suites.ops, cases, options.each, arguments, ended, result);
  provenance.ended = utc_now();
  provenance.ended_early = result.ended_by;
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, records);
  LibraryInfo library = backend.library;
  if (execution.is_asked()) library.notes.push_back(execution.summary(library));
  bool all_written = reports.write(result, library, provenance, earlier ? &*earlier : nullptr);
  const RunIdentity identity = history.identity(result, provenance);
  if (recorder && result.harness_error.empty()) all_written = finished(*recorder, result, identity) && all_written;
  if (!cases.empty()) all_written = history.add(result, library, provenance, identity.id) && all_written;
  supervisor.wrote_reports();
  if (meeting && meeting->serves() && cases.empty())
    return std::printf("this process ran no cases of its own; it only called its ranks in the cases of other processes\n"),
           kAllAsExpected;
  if (reports.to_console()) print_ending(result, arguments.shown, provenance_text(provenance, library));
  if (shard.is_whole()) std::printf("%s", idle_kernels_text(result).c_str());
  if (shard.is_whole() || result.exit_code() != kAllAsExpected) std::printf("%s", idle_rows_text(ledger, result).c_str());
  std::printf("%s", excuses_text(arguments.suites, table_note, cases, result).c_str());
  if (const std::string levels = untried_levels_text(result); !levels.empty()) std::printf("%s\n", levels.c_str());
  std::printf("%s", coloured(outcome_line(result), colour).c_str());
  if (!table_note.empty()) std::printf("%s\n", table_note.c_str());
  if (const std::string left = tiers_not_run_text(tiers.left); !left.empty()) std::printf("%s\n", left.c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  if (!shard.is_whole() && cases.empty()) return kAllAsExpected;
  const ExitCode code = result.exit_code();
  if (code == kUnexpected && said_too_large(arguments, result)) return kUsageOrNothingRan;
  return code == kAllAsExpected && !all_written ? kHarnessFailed : code;
}

}  // namespace

int run_verb(const RunArguments& arguments) {
  if (!is_supervised(arguments)) return run_under(Supervised(), arguments);
  return supervised([&](const Supervised& supervisor) { return run_under(supervisor, arguments); },
                    [&](const KilledRun& killed) { report_killed(arguments, killed); });
}

}  // namespace assay
