// assay judge DIR...: verdicts on recorded outputs. The road is that of a run; only the call is read from a file.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <tuple>

#include "harness/cli/ending.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/reports.h"
#include "harness/core/tensor_of_part.h"
#include "harness/core/printable.h"
#include "harness/core/run.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/dump/recording.h"
#include "harness/report/console.h"
#include "harness/report/reconcile.h"
#include "suites/registry.h"

namespace assay {
namespace {

/// One verdict to be made, from one recording or from several that hold the same.
struct Entry {
  const Case* one;
  std::vector<std::pair<const Recording*, const RecordedVerdict*>> recorded;
};

/// The tensor of that role and rank.
const HostTensor& recorded_as(const std::vector<HostTensor>& recorded, const TensorSpec& spec) {
  Part part{.tensor = spec.name, .format = spec.format, .shape = {}};
  part.rank = spec.rank;
  return tensor_of(recorded, part);
}

/// A recorded input that the case would not get today was made by another version: its outputs prove nothing about this case.
std::string input_difference(const Problem& problem, const std::vector<HostTensor>& recorded) {
  for (const HostTensor& tensor : problem.tensors) {
    if (tensor.spec.role != Role::kInput) continue;
    const HostTensor& before = recorded_as(recorded, tensor.spec);
    if (before.bytes == tensor.bytes) continue;
    return "recorded input '" + tensor.spec.name + "' is not the one that this program makes for the case";
  }
  return "";
}

void check_outputs(const Problem& problem, const CallResult& result) {
  for (const HostTensor& tensor : problem.tensors) {
    if (tensor.spec.role == Role::kInput) continue;
    const TensorSpec& recorded = recorded_as(result.outputs, tensor.spec).spec;
    if (!(*recorded.format == *tensor.spec.format) || recorded.shape != tensor.spec.shape ||
        (tensor.spec.elements() > 0 && recorded.strides != tensor.spec.strides) || recorded.storage != tensor.spec.storage)
      throw std::runtime_error("recorded output '" + tensor.spec.name + "' has another format, shape or stride than the case's");
  }
}

/// Answers the one call of an entry from its files; several recordings of one call must hold the same bits.
CallResult replay(const Entry& entry, const Problem& problem) {
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
              .outputs = {},
              .untouched = {},
              .in_place = {}};
  }
  return *first;
}

/// A race shows only while calling; the run that called has looked for it.
std::function<void(const Evidence&, Verdict&)> causes_or_recorded_race(const Backend& replaying, const Verdict& recorded) {
  return [look = look_for_causes(replaying), &recorded](const Evidence& evidence, Verdict& verdict) {
    look(evidence, verdict);
    if (recorded.causes.empty()) return;
    const std::string& cause = recorded.causes.front();
    if (cause.starts_with("race:") || cause.starts_with("unsteady:")) verdict.causes = recorded.causes;
  };
}

Verdict judge_entry(const Entry& entry, const CaseOptions& common) {
  const auto& [recording, recorded] = entry.recorded.front();
  Verdict plain = blank_verdict(*entry.one, recorded->verdict.kernel, recording->backend);
  plain.outcome = recorded->verdict.outcome;
  plain.message = recorded->verdict.message;
  plain.causes = recorded->verdict.causes;
  plain.seconds = recorded->verdict.seconds;
  plain.offered = recorded->verdict.offered;
  plain.device_lost = recorded->verdict.device_lost;
  if (recorded->file.empty()) return plain;

  const Op& op = find_op(entry.one->op);
  const Backend backend{recording->backend, recording->library,
                        [&](const CallRequest& request) { return replay(entry, *request.problem); }};
  CaseOptions options = common;
  options.diagnose = causes_or_recorded_race(backend, recorded->verdict);
  KernelOffer kernel;
  kernel.name = recorded->verdict.kernel;
  return run_case(op, *entry.one, kernel, backend, options);
}

/// Entries in the order of the tables, then of the recordings: the order of the run that made them.
std::vector<Entry> entries_of(const std::vector<Recording>& recordings, const std::vector<Case>& cases) {
  std::map<std::string, size_t> place;
  for (size_t i = 0; i < cases.size(); ++i) place[cases[i].id] = i;
  std::vector<std::pair<size_t, Entry>> placed;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> known;
  for (const Recording& recording : recordings) {
    for (const RecordedVerdict& recorded : recording.verdicts) {
      const auto at = place.find(recorded.verdict.case_id);
      if (at == place.end()) {
        std::fprintf(stderr, "assay: %s: case %s is in no table of this program, or not selected; left out\n",
                     recording.folder.c_str(), recorded.verdict.case_id.c_str());
        continue;
      }
      const auto [entry, is_new] =
          known.emplace(std::tuple(recorded.verdict.case_id, recorded.verdict.kernel, recording.library.name), placed.size());
      if (is_new) {
        placed.push_back({at->second, {&cases[at->second], {{&recording, &recorded}}}});
        continue;
      }
      Entry& first = placed[entry->second].second;
      std::fprintf(stderr, "assay: duplicate: %s %s is in %s and in %s\n", recorded.verdict.case_id.c_str(),
                   recorded.verdict.kernel.c_str(), first.recorded.front().first->folder.c_str(), recording.folder.c_str());
      // What has outputs is judged; a skip beside it says only what another library lacks.
      if (first.recorded.front().second->file.empty()) first.recorded.clear();
      if (first.recorded.empty() || !recorded.file.empty()) first.recorded.push_back({&recording, &recorded});
    }
  }
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Entry> entries;
  for (auto& [order, entry] : placed) entries.push_back(std::move(entry));
  return entries;
}

RunResult judge_all(const std::vector<Entry>& entries) {
  CaseOptions options;
  options.power = power_of_data();
  std::vector<std::optional<Verdict>> verdicts(entries.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; ended_by() == nullptr && (i = next++) < entries.size();) verdicts[i] = judge_entry(entries[i], options);
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  RunResult result;
  for (std::optional<Verdict>& verdict : verdicts) {
    if (verdict)
      result.verdicts.push_back(std::move(*verdict));
    else
      result.ended_by = ended_by();
  }
  return result;
}

/// Selected cases that no recording holds, told on stderr. Only asked if something was selected: otherwise nothing says what a
/// recording should have held. A library that takes any warp was called once for both sizes.
size_t report_missing(const std::vector<Case>& cases, const std::vector<Entry>& entries) {
  std::set<std::string> there, once;
  for (const Entry& entry : entries) {
    there.insert(entry.one->id);
    if (entry.recorded.front().first->run.once) once.insert(entry.one->data_id());
  }
  size_t missing = 0;
  for (const Case& one : cases) {
    if (there.contains(one.id) || once.contains(one.data_id())) continue;
    ++missing;
    std::fprintf(stderr, "assay: missing: no recording holds %s\n", one.id.c_str());
  }
  return missing;
}

/// What the recordings say of themselves that they lack: other shares of their run, what came after an early end. A line for each.
std::vector<std::string> gaps_of(const std::vector<Recording>& recordings) {
  std::vector<std::string> gaps;
  std::map<std::tuple<std::string, std::string, int>, std::set<int>> shares;
  for (const Recording& recording : recordings) {
    const RecordedRun& run = recording.run;
    if (!run.shard.is_whole()) shares[{recording.library.name, run.cases, run.shard.count}].insert(run.shard.index);
    if (!run.ended_by.empty())
      gaps.push_back(recording.folder + (run.shard.is_whole() ? "" : ", share " + run.shard.text()) + ": its run was ended early by " +
                     printable(run.ended_by));
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

}  // namespace

int judge_recordings(const JudgeArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  const std::vector<Case> cases = open_selected_cases(arguments.selection);
  std::vector<Recording> recordings;
  for (const std::string& folder : arguments.targets)
    for (Recording& recording : read_indexes(folder)) recordings.push_back(std::move(recording));
  const std::vector<Entry> entries = entries_of(recordings, cases);

  const bool colour = wants_colour(STDOUT_FILENO);
  end_on_signals();
  RunResult result = judge_all(entries);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  for (Verdict& verdict : result.verdicts) {
    ledger.expect(verdict);
    result.device_lost |= verdict.device_lost;
    if (reports.to_console() && !as_expected(verdict)) std::printf("%s\n", coloured(failure_text(verdict), colour).c_str());
  }
  reconcile(result);
  const size_t missing = arguments.selection.everything() ? 0 : report_missing(cases, entries);
  const std::vector<std::string> gaps = gaps_of(recordings);
  for (const std::string& gap : gaps) std::fprintf(stderr, "assay: missing: %s\n", gap.c_str());
  const LibraryInfo& library = recordings.front().library;
  provenance.ended = utc_now();
  add_evidence(provenance, result);
  provenance.ended_early = result.ended_by;
  const bool all_written = reports.write(result, library, provenance);
  if (reports.to_console()) std::printf("%s", provenance_text(provenance, library).c_str());
  std::printf("%s%s", reports.to_console() ? summary_text(result).c_str() : "", coloured(outcome_line(result), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  if (missing > 0) std::printf("BUT INCOMPLETE: %zu selected cases are in no recording\n", missing);
  for (const std::string& gap : gaps) std::printf("BUT INCOMPLETE: %s\n", gap.c_str());
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  if (missing > 0 || !gaps.empty()) return kUnexpected;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

}  // namespace assay
