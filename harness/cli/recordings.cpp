
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "harness/check/suite_case.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/report/progress_report.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"
#include "suites/registry.h"

namespace assay {
namespace {

/// The recorded tensor of that role and rank.
const HostTensor& recorded_as(const std::vector<HostTensor>& recorded, const TensorSpec& spec) {
  Part part{.tensor = spec.name, .format = spec.format, .shape = {}};
  part.rank = spec.rank;
  return tensor_of(recorded, part);
}

/// "e4m3fn [2, 256], strides [256, 1], 512 elements"
std::string spec_text(const TensorSpec& spec) {
  return fmt::format("{} [{}], strides [{}], {} elements", spec.format->name, fmt::join(spec.shape, ", "),
                     fmt::join(spec.strides, ", "), spec.storage);
}

void check_outputs(const Problem& problem, const CallResult& result) {
  for (const HostTensor& tensor : problem.tensors) {
    if (tensor.spec.role == Role::kInput) continue;
    const TensorSpec& recorded = recorded_as(result.outputs, tensor.spec).spec;
    if (!(*recorded.format == *tensor.spec.format) || recorded.shape != tensor.spec.shape ||
        (tensor.spec.elements() > 0 && recorded.strides != tensor.spec.strides) || recorded.storage != tensor.spec.storage)
      throw std::runtime_error("recorded output '" + tensor.spec.name + "': expected " + spec_text(tensor.spec) + ", got " +
                               spec_text(recorded));
  }
}

/// Answers a call with the recorded outputs of an entry. Several recordings of one call must hold the same bits.
CallResult replay(const RecordedCase& entry, const Problem& problem) {
  std::optional<CallResult> first;
  for (const auto& [recording, recorded] : entry.recorded) {
    const RecordedCall call = read_call(*recording, *recorded);
    const std::string difference = input_difference(problem, call.inputs);
    if (!difference.empty()) throw std::runtime_error(difference);
    check_outputs(problem, call.result);
    if (!first) {
      first = call.result;
      continue;
    }
    const std::string other = call_difference(*first, call.result, 2);
    if (!other.empty())
      return {.status = CallStatus::kFailed,
              .message = "the recordings differ: " + other,
              .said = {},
              .outputs = {},
              .untouched = {},
              .in_place = {}};
  }
  return *first;
}

/// Searches for causes. Recorded outputs cannot show a race, so the verdict keeps a race that the recording run found.
std::function<void(const Evidence&, Verdict&)> causes_or_recorded_race(const Backend& replaying, const Verdict& recorded,
                                                                        int64_t budget) {
  return [look = look_for_causes(replaying, budget), &recorded](const Evidence& evidence, Verdict& verdict) {
    look(evidence, verdict);
    if (recorded.causes.empty()) return;
    const std::string& cause = recorded.causes.front();
    if (cause.starts_with("race:") || cause.starts_with("unsteady:")) verdict.causes = recorded.causes;
  };
}

/// The repro command: checks the recorded outputs again, because the kernel may not be available here.
std::string repro_of(const std::string& folder, const Case& one) {
  return "assay judge" + one.run_options + " " + shell_word(folder) + " --case " + shell_word(one.id);
}

Verdict judge_entry(const OpRegistry& ops, const RecordedCase& entry, const CaseOptions& common, int64_t budget) {
  const auto& [recording, recorded] = entry.recorded.front();
  Verdict plain = blank_verdict(*entry.one, recorded->verdict.kernel, recording->backend);
  plain.repro = repro_of(recording->folder, *entry.one);
  plain.outcome = recorded->verdict.outcome;
  plain.message = recorded->verdict.message;
  plain.causes = recorded->verdict.causes;
  plain.seconds = recorded->verdict.seconds;
  plain.offered = recorded->verdict.offered;
  plain.device_lost = recorded->verdict.device_lost;
  if (recorded->file.empty()) return plain;

  const Op& op = ops.find(entry.one->op);
  const Backend backend{recording->backend, recording->library,
                        [&](const CallRequest& request) { return replay(entry, *request.problem); }};
  CaseOptions options = common;
  options.diagnose = causes_or_recorded_race(backend, recorded->verdict, budget);
  KernelOffer kernel;
  kernel.name = recorded->verdict.kernel;
  Verdict verdict = run_case(op, *entry.one, kernel, backend, options);
  if (plain.outcome == Outcome::kFlaky && (verdict.outcome == Outcome::kPass || verdict.outcome == Outcome::kFail)) {
    verdict.outcome = Outcome::kFlaky;  // a recording has only one of the calls, so it cannot show that they differed
    verdict.message = plain.message;
  }
  verdict.repro = repro_of(recording->folder, *entry.one);
  return verdict;
}

}  // namespace

std::string input_difference(const Problem& problem, const std::vector<HostTensor>& recorded) {
  for (const HostTensor& tensor : problem.tensors) {
    TensorSpec spec = tensor.spec;
    if (spec.role != Role::kInput) {
      spec.name += kBefore;  // the contents before the call; recordings made before 2026-11-27 lack them
      const bool is_there = std::any_of(recorded.begin(), recorded.end(), [&](const HostTensor& one) {
        return one.spec.name == spec.name && one.spec.rank == spec.rank;
      });
      if (!is_there) continue;
    }
    if (recorded_as(recorded, spec).bytes == tensor.bytes) continue;
    return "recorded input '" + tensor.spec.name + "' differs from the input that this program generates for the case";
  }
  return "";
}

std::vector<Recording> open_recordings(const std::vector<std::string>& folders) {
  std::vector<Recording> recordings;
  for (const std::string& folder : folders)
    for (Recording& recording : read_indexes(folder)) recordings.push_back(std::move(recording));
  return recordings;
}

/// Prints one line about the cases of a folder that are not in the tables or not selected.
static void report_left_out(const std::string& folder, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::fprintf(stderr,
               "assay: %s: %zu case%s left out: not selected, or in no table of this program (--cases FILE.csv names tables of your own); "
               "first: %s\n",
               printable(folder).c_str(), ids.size(), ids.size() == 1 ? "" : "s", printable(ids.front()).c_str());
}

std::vector<RecordedCase> recorded_cases(const std::vector<Recording>& recordings, const std::vector<Case>& cases,
                                         const std::vector<Case>& all) {
  std::set<std::string> known_ids;
  for (const Case& one : all) known_ids.insert(one.id);
  std::map<std::string, size_t> place;
  for (size_t i = 0; i < cases.size(); ++i) place[cases[i].id] = i;
  std::vector<std::pair<size_t, RecordedCase>> placed;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> known;
  for (const Recording& recording : recordings) {
    std::vector<std::string> left_out;
    size_t unselected = 0;
    for (const RecordedVerdict& recorded : recording.verdicts) {
      const auto at = place.find(recorded.verdict.case_id);
      if (at == place.end() && known_ids.contains(recorded.verdict.case_id)) {
        ++unselected;
        continue;
      }
      if (at == place.end()) {
        left_out.push_back(recorded.verdict.case_id);
        continue;
      }
      const auto [entry, is_new] =
          known.emplace(std::tuple(recorded.verdict.case_id, recorded.verdict.kernel, recording.library.name), placed.size());
      if (is_new) {
        placed.push_back({at->second, {&cases[at->second], {{&recording, &recorded}}}});
        continue;
      }
      RecordedCase& first = placed[entry->second].second;
      std::fprintf(stderr, "assay: duplicate: %s %s is in %s and in %s\n", recorded.verdict.case_id.c_str(),
                   recorded.verdict.kernel.c_str(), first.recorded.front().first->folder.c_str(), recording.folder.c_str());
      // Prefers a recording with outputs: a skip in the other recording only means that its library lacks the kernel.
      if (first.recorded.front().second->file.empty()) first.recorded.clear();
      if (first.recorded.empty() || !recorded.file.empty()) first.recorded.push_back({&recording, &recorded});
    }
    report_left_out(recording.folder, left_out);
    if (unselected > 0)
      std::fprintf(stderr, "assay: %s: %zu of %zu cases are not selected\n", printable(recording.folder).c_str(), unselected,
                   recording.verdicts.size());
  }
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<RecordedCase> entries;
  for (auto& [order, entry] : placed) entries.push_back(std::move(entry));
  return entries;
}

RunResult judge_recorded(const OpRegistry& ops, const std::vector<RecordedCase>& entries, const PowerRecords& power,
                         const std::function<void(const Evidence&, const Verdict&)>& record, int64_t budget) {
  CaseOptions options;
  options.power = power_of_data([&](const Case& one) { return power.find(one); });
  options.record = record;
  std::vector<std::optional<Verdict>> verdicts(entries.size());
  std::atomic<size_t> next{0};
  ProgressReport progress(entries.size(), "recordings");
  const auto work = [&] {
    for (size_t i; ended_by() == nullptr && (i = next++) < entries.size();) {
      verdicts[i] = judge_entry(ops, entries[i], options, budget);
      progress.step(entries[i].one->id, !as_expected(*verdicts[i]));
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  progress.clear();
  RunResult result;
  for (std::optional<Verdict>& verdict : verdicts) {
    if (verdict)
      result.verdicts.push_back(std::move(*verdict));
    else
      result.ended_by = ended_by();
  }
  return result;
}

std::vector<std::string> gaps_of(const std::vector<Recording>& recordings) {
  std::vector<std::string> gaps;
  std::map<std::tuple<std::string, std::string, int>, std::set<int>> shares;
  for (const Recording& recording : recordings) {
    const RecordedRun& run = recording.run;
    if (!run.shard.is_whole()) shares[{recording.library.name, run.cases, run.shard.count}].insert(run.shard.index);
    if (!run.ended_by.empty())
      gaps.push_back(recording.folder + (run.shard.is_whole() ? "" : ", share " + run.shard.text()) +
                     ": its run was ended early by " + printable(run.ended_by));
  }
  for (const auto& [run, indexes] : shares) {
    const auto& [library, cases, count] = run;
    constexpr int kMostNamed = 8;
    std::string missing;
    int lacking = count - int(indexes.size()), named = 0;
    for (int index = 1; index <= count && named < kMostNamed; ++index)
      if (!indexes.contains(index)) missing += (named++ == 0 ? "" : ", ") + Shard{index, count, ""}.text();
    if (lacking > 0)
      gaps.push_back(std::to_string(lacking) + " of " + std::to_string(count) + " shares of the run on " + printable(library) +
                     " are missing: " + missing + (lacking > named ? ", ..." : ""));
  }
  return gaps;
}

// assay inputs writes inputs of cases as files. assay judge DIR checks outputs that any program added to that folder.
namespace {

/// A case with inputs in one of the folders.
struct CaseInFolder {
  const Case* one;
  std::string folder;
};

std::vector<CaseInFolder> cases_in(const std::vector<std::string>& folders, const std::vector<Case>& cases) {
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases) by_id[one.id] = &one;
  std::vector<CaseInFolder> found;
  for (const std::string& folder : folders) {
    std::vector<std::string> left_out;
    for (const std::string& id : read_case_list(folder)) {
      if (const auto known = by_id.find(id); known != by_id.end())
        found.push_back({known->second, folder});
      else
        left_out.push_back(id);
    }
    report_left_out(folder, left_out);
  }
  return found;
}

Verdict verdict_on(const OpRegistry& ops, const CaseInFolder& entry, const PowerRecords& power) {
  try {
    const SuiteCase one(ops.find(entry.one->op), *entry.one, power.find(*entry.one));
    Verdict verdict = one.judge(read_case_outputs(entry.folder, entry.one->id), "outputs", entry.folder).verdict;
    verdict.repro = repro_of(entry.folder, *entry.one);
    return verdict;
  } catch (const std::exception& error) {
    Verdict none = blank_verdict(*entry.one, "outputs", entry.folder);
    none.repro = repro_of(entry.folder, *entry.one);
    none.message = std::string("no verdict: ") + error.what();
    return none;
  }
}

}  // namespace

int inputs_verb(const InputsArguments& arguments) {
  if (std::filesystem::exists(arguments.output)) throw UsageError("--output " + arguments.output + ": already exists");
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  std::vector<std::string> ids;
  size_t left_out = 0;
  for (const Case& one : cases) {
    try {
      write_case_inputs(arguments.output, SuiteCase(arguments.suites.ops->find(one.op), one, nullptr));
      ids.push_back(one.id);
    } catch (const UsageError& error) {
      ++left_out;
      std::fprintf(stderr, "assay: left out: %s\n", error.what());
    }
  }
  if (ids.empty()) throw UsageError("no selected case has inputs that can be written to files");
  write_case_list(arguments.output, ids);
  fmt::print("wrote inputs of {} cases{}; write outputs.safetensors into the folder of each case, then: assay judge {}\n",
             ids.size(), left_out > 0 ? fmt::format(", {} left out", left_out) : "", shell_word(arguments.output));
  return kAllAsExpected;
}

int judge_outputs_of_inputs(const JudgeArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  const std::vector<CaseInFolder> all = cases_in(arguments.targets, cases);
  std::vector<CaseInFolder> entries;
  for (const CaseInFolder& entry : all) {
    if (std::filesystem::exists(outputs_file(entry.folder, entry.one->id)))
      entries.push_back(entry);
    else
      std::fprintf(stderr, "assay: missing: %s\n", outputs_file(entry.folder, entry.one->id).c_str());
  }
  const PowerRecords power = recorded_power(cases);
  RunResult result;
  result.verdicts.resize(entries.size());
  ProgressReport progress(entries.size());
  for_each_in_parallel(int64_t(entries.size()), [&](int64_t i) {
    result.verdicts[size_t(i)] = verdict_on(*arguments.suites.ops, entries[size_t(i)], power);
    progress.step(entries[size_t(i)].one->id, !as_expected(result.verdicts[size_t(i)]));
  });
  progress.clear();
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  const bool colour = wants_colour(STDOUT_FILENO);
  for (Verdict& verdict : result.verdicts) ledger.expect(verdict);
  reconcile(result, exposed_by_data(arguments.suites.ops->all(), cases));
  provenance.ended = utc_now();
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, power);
  const bool all_written = reports.write(result, LibraryInfo{}, provenance);
  if (reports.to_console())
    print_ending(result, arguments.shown, idle_rows_text(ledger, result) + provenance_text(provenance, LibraryInfo{}));
  std::printf("%s", coloured(outcome_line(result), colour).c_str());
  const size_t missing = all.size() - entries.size();
  if (missing > 0) std::printf("BUT INCOMPLETE: %zu of %zu cases have no outputs.safetensors\n", missing, all.size());
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  if (missing > 0) return kUnexpected;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

}  // namespace assay
