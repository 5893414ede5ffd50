// assay gate --baseline DIR DIR...: shows how a change of kernels changed their bits. Computes every verdict again, as judge
// does, and compares the outputs with the baseline's.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/recording.h"
#include "harness/history/history.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/report/verdict_text.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

using Key = std::pair<std::string, std::string>;  ///< case id and kernel name

bool has_verdict(const Verdict& v) { return v.outcome != Outcome::kSkip && v.outcome != Outcome::kNotJudged && !v.device_lost; }

/// The verdicts of the baseline, without skips and unjudged calls.
class Baseline {
 public:
  struct Entry {
    Outcome said = Outcome::kNotJudged;
    std::string backend{};
    const Recording* recording = nullptr;       ///< nullptr: the baseline is a history file, which has digests but no outputs
    const RecordedVerdict* recorded = nullptr;
    std::string digest{};                       ///< from a history file: output_digest() of the call; empty if it gave no outputs
    Outcome outcome() const { return said; }
  };

  /// Reads the baseline, which is either the folder of a recording or a history file. `now`: the recordings that are compared with it.
  Baseline(const GateArguments& arguments, const std::vector<Recording>& now) : path_(arguments.baseline) {
    if (is_history(path_)) {
      read_history(arguments, now);
      return;
    }
    if (arguments.baseline_run > 0 || !arguments.baseline_commit.empty())
      throw UsageError(std::string(arguments.baseline_run > 0 ? "--run" : "--commit") +
                       " names a run of a history file, but --baseline " + path_ + " is a recording");
    recordings_ = open_recordings({path_});
    gaps_ = gaps_of(recordings_);
    for (const Recording& one : recordings_)
      for (const Recording& other : now)
        if (!one.run.identity.id.empty() && one.run.identity.id == other.run.identity.id && notes_.empty())
          notes_.push_back(path_ + " is a recording of the very run that is compared with it, so no failure can be new");
    for (const Recording& recording : recordings_)
      for (const RecordedVerdict& recorded : recording.verdicts)
        if (has_verdict(recorded.verdict))
          entries_[{recorded.verdict.case_id, recorded.verdict.kernel}] = {recorded.verdict.outcome, recording.backend,
                                                                           &recording, &recorded, ""};
  }

  /// Why the baseline is incomplete: missing shards, and runs that ended early.
  const std::vector<std::string>& gaps() const { return gaps_; }
  /// If the baseline is a history file: the chosen run, and how it ended; else empty.
  const std::string& run() const { return run_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::map<Key, Entry>& entries() const { return entries_; }
  const Entry* find(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }

 private:
  void read_history(const GateArguments& arguments, const std::vector<Recording>& now) {
    HistoryRun chip;
    chip.chip = now.front().library.arch, chip.device = now.front().library.device;
    BaselineWish wish;
    wish.chip = chip.chip_text(), wish.run = arguments.baseline_run, wish.of_commit = arguments.baseline_commit;
    for (const Recording& recording : now) {
      const RunIdentity& identity = recording.run.identity;
      if (identity.id.empty() && wish.run == 0)
        throw UsageError(recording.folder +
                         ": an older Assay recorded this folder without a run id, so the gate cannot tell this run in " + path_ +
                         " from earlier runs; record again, or name the baseline: --run N");
      wish.own.push_back(identity.id);
      wish.library_digest = identity.library_digest;
      wish.commit = commit_of_kernels(identity.commit);
    }
    const History history(path_, History::Access::kRead);
    const BaselineChoice choice = history.baseline(wish);
    const std::vector<HistoryRun>& runs = choice.runs;
    const HistoryRun& first = runs.front();
    run_ = fmt::format("run {} of {}{}{}: {}", first.id, first.begun, first.commit.empty() ? "" : ", commit " + first.commit,
                       runs.size() > 1 ? fmt::format(", with {} more shares", runs.size() - 1) : "", first.ending);
    constexpr size_t kMostNamed = 4;
    for (size_t i = 0; i < std::min(kMostNamed, choice.passed_over.size()); ++i)
      notes_.push_back("not used as baseline: " + choice.passed_over[i]);
    if (choice.passed_over.size() > kMostNamed)
      notes_.push_back(fmt::format("not used as baseline: {} more runs", choice.passed_over.size() - kMostNamed));
    for (const HistoryRun& run : runs)
      if (!run.ended_early.empty())
        gaps_.push_back(fmt::format("{}: run {} was ended early by {}", path_, run.id, run.ended_early));
    if (const std::string lacking = lacking_shares(runs); !lacking.empty()) gaps_.push_back(path_ + ": " + lacking);
    for (const HistoryVerdict& verdict : history.verdicts_of(runs))
      if (verdict.outcome != Outcome::kSkip)
        entries_[{verdict.case_id, verdict.kernel}] = {verdict.outcome, runs.front().library, nullptr, nullptr, verdict.digest};
  }

  std::string path_, run_;
  std::vector<Recording> recordings_;
  std::vector<std::string> gaps_, notes_;
  std::map<Key, Entry> entries_;
};

std::string change_text(const PartChange& c) {
  const std::string format(c.format->name);
  const auto code = [&](uint32_t bits) { return code_text(format, bits, decode(*c.format, bits)); };
  return fmt::format("{} {} {}: {} of {} elements changed, by at most {} ulp; first [{}, {}], {} before, {} now", c.part,
                     shape_text(c.shape), format, c.changed, c.elements(), c.most_ulps, c.at[0], c.at[1], code(c.before),
                     code(c.now));
}

/// Comparison of one call's outputs with the baseline's.
struct Comparison {
  bool comparable = false;  ///< outputs of the call are known from both runs, and their inputs are equal
  std::string why_not{};    ///< why outputs that both runs recorded cannot be compared element by element
  std::vector<PartChange> changes{};
};

Comparison compare_with(const Baseline& baseline, const Key& key, const Evidence& evidence) {
  const Baseline::Entry* const entry = baseline.find(key);
  if (entry == nullptr || evidence.outputs == nullptr) return {};
  if (entry->recorded == nullptr) {
    if (entry->digest.empty()) return {};
    const bool same = evidence.result != nullptr && output_digest(*evidence.result) == entry->digest;
    return {.comparable = same,
            .why_not = same ? "" : "the bits changed; a history has no outputs, so the changed elements are unknown"};
  }
  if (entry->recorded->file.empty()) return {};
  try {
    const RecordedCall before = read_call(*entry->recording, *entry->recorded);
    if (std::string other = input_difference(evidence.problem, before.inputs); !other.empty())
      return {.why_not = "in the baseline: " + other};
    const Expectation expectation = evidence.bound.expect(evidence.problem, evidence.outputs);
    return {.comparable = true, .why_not = {}, .changes = changes(expectation.parts(), before.result.outputs, *evidence.outputs)};
  } catch (const std::exception& error) {
    return {.why_not = error.what()};
  }
}

/// The gate's state of a failure: `known` if the known-failures list or the baseline has the failure with the same outcome,
/// otherwise `new`.
GateFinding state_of_failure(const Verdict& verdict, const Baseline::Entry* before, const Comparison& comparison) {
  if (!verdict.deviation.empty()) {
    if (verdict.expected == name(verdict.outcome))
      return {.state = GateState::kKnown, .passes = true, .note = "on the known-failures list"};
    return {.state = GateState::kNew, .note = fmt::format("the known-failures list expects {}", verdict.expected)};
  }
  if (before == nullptr) return {.state = GateState::kNew, .note = "not in the baseline"};
  if (before->outcome() == verdict.outcome)
    return {.state = GateState::kKnown, .passes = true, .note = fmt::format("{} in the baseline too", name(verdict.outcome))};
  const bool same_bits = comparison.comparable && comparison.changes.empty();
  return {.state = GateState::kNew,
          .note = fmt::format("{} in the baseline{}", name(before->outcome()),
                              same_bits ? ", with the same bits; so its contract or its case has changed" : "")};
}

GateFinding state_of_pass(const Verdict& verdict, const Baseline::Entry* before, const Comparison& comparison,
                          const GateRun& run) {
  const bool listed = !verdict.deviation.empty();
  if (listed && verdict.expected == name(Outcome::kFlaky))
    return {.state = GateState::kKnown, .passes = true, .note = "passes now; the known-failures list expects flaky"};
  if (listed && verdict.expected != name(Outcome::kPass))
    return {.state = GateState::kFixed,
            .passes = !run.strict,
            .note = fmt::format("the known-failures list expects {}: remove its row", verdict.expected)};
  if (before == nullptr) return {.state = GateState::kNotInBaseline, .passes = true};
  if (before->outcome() != Outcome::kPass)
    return {
        .state = GateState::kFixed, .passes = !run.strict, .note = fmt::format("{} in the baseline", name(before->outcome()))};
  if (comparison.comparable && comparison.changes.empty()) return {.state = GateState::kSameBits, .passes = true};
  return {.state = GateState::kChanged,
          .passes = !run.same_bits,
          .note = comparison.comparable        ? ""
                  : comparison.why_not.empty() ? "one of the recordings has no outputs of this call"
                                               : comparison.why_not};
}

/// The state of a verdict; nothing for a skipped call for which neither the baseline nor the known-failures list has a verdict.
std::optional<GateFinding> state_of(const Verdict& verdict, const Baseline::Entry* before, const Comparison& comparison,
                                    const GateRun& run) {
  if (verdict.outcome == Outcome::kNotJudged || verdict.device_lost)
    return GateFinding{.state = GateState::kNew, .note = "this call has no verdict"};
  if (verdict.outcome == Outcome::kPass) return state_of_pass(verdict, before, comparison, run);
  if (verdict.outcome != Outcome::kSkip) return state_of_failure(verdict, before, comparison);
  const bool listed = !verdict.deviation.empty();
  if (listed && verdict.expected == name(Outcome::kSkip))
    return GateFinding{.state = GateState::kKnown, .passes = true, .note = "on the known-failures list"};
  if (before != nullptr)
    return GateFinding{.state = GateState::kGone,
                       .note = fmt::format("{} in the baseline, not run now", name(before->outcome()))};
  if (listed)
    return GateFinding{.state = GateState::kGone,
                       .note = fmt::format("the known-failures list expects {}; not run now", verdict.expected)};
  return std::nullopt;
}

/// Stores the state in the verdict, and the changed bits in the notes of its tensors.
void add_state(Verdict& verdict, const Baseline::Entry* before, const Comparison& comparison, const GateRun& run) {
  verdict.gate = state_of(verdict, before, comparison, run);
  if (!verdict.gate) return;
  for (const PartChange& change : comparison.changes) {
    verdict.gate->changes.push_back(change_text(change));
    for (TensorFinding& finding : verdict.tensors)
      if (finding.name == change.part) finding.notes.push_back("since the baseline: " + change_text(change));
  }
}

/// A verdict for each selected call that the baseline has and these recordings lack.
std::vector<Verdict> gone_since(const Baseline& baseline, const std::vector<Case>& cases, const std::set<Key>& there) {
  std::map<std::string, const Case*> selected;
  for (const Case& one : cases) selected[one.id] = &one;
  std::vector<Verdict> gone;
  for (const auto& [key, entry] : baseline.entries()) {
    const auto one = selected.find(key.first);
    if (one == selected.end() || there.contains(key)) continue;
    Verdict verdict = blank_verdict(*one->second, key.second, entry.backend);
    verdict.gate = GateFinding{.state = GateState::kGone,
                               .note = fmt::format("{} in the baseline; no recording has it now", name(entry.outcome()))};
    verdict.message = "gone: " + verdict.gate->note;
    gone.push_back(std::move(verdict));
  }
  return gone;
}

/// "7 failures are known only because the baseline has them"; nothing if there are none.
std::vector<std::string> failures_of_baseline(const RunResult& result) {
  const auto number = std::count_if(result.verdicts.begin(), result.verdicts.end(), [](const Verdict& v) {
    return v.gate && v.gate->state == GateState::kKnown && v.deviation.empty();
  });
  if (number == 0) return {};
  return {fmt::format("{} failure{} known only because the baseline has {} too", number, number == 1 ? " is" : "s are",
                      number == 1 ? "it" : "them")};
}

}  // namespace

int gate_verb(const GateArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  const std::vector<Case> all = open_cases_for(arguments.suites, arguments.selection),
                          cases = selected_of(all, arguments.selection);
  const std::vector<Recording> recordings = open_recordings(arguments.targets);
  const Baseline baseline(arguments, recordings);
  const std::vector<RecordedCase> recorded = recorded_cases(recordings, cases, all);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);

  end_on_signals();
  std::mutex mutex;
  std::map<Key, Comparison> comparisons;
  const PowerRecords power = recorded_power(cases);
  RunResult result =
      judge_recorded(*arguments.suites.ops, recorded, power, [&](const Evidence& evidence, const Verdict& verdict) {
        Comparison comparison = compare_with(baseline, {verdict.case_id, verdict.kernel}, evidence);
        const std::lock_guard lock(mutex);
        comparisons[{verdict.case_id, verdict.kernel}] = std::move(comparison);
      });

  GateRun run{.baseline = arguments.baseline,
              .run = baseline.run(),
              .same_bits = arguments.same_bits,
              .strict = arguments.strict,
              .gaps = gaps_of(recordings),
              .notes = baseline.notes()};
  for (const std::string& gap : baseline.gaps()) run.gaps.push_back(gap);
  std::set<Key> there;
  for (Verdict& verdict : result.verdicts) {
    ledger.expect(verdict);
    result.device_lost |= verdict.device_lost;
    const Key key{verdict.case_id, verdict.kernel};
    there.insert(key);
    add_state(verdict, baseline.find(key), comparisons[key], run);
  }
  add_stale_rows(arguments.suites, ledger, all, arguments.strict, result);
  const std::string idle = idle_rows_text(ledger, result);
  if (result.ended_by.empty())
    for (Verdict& verdict : gone_since(baseline, cases, there)) result.verdicts.push_back(std::move(verdict));
  result.gate = std::move(run);
  for (std::string& note : failures_of_baseline(result)) result.gate->notes.push_back(std::move(note));

  const bool colour = wants_colour(STDOUT_FILENO);
  reconcile(result, exposed_by_data(arguments.suites.ops->all(), cases));
  provenance.ended = utc_now();
  provenance.ended_early = result.ended_by;
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, power);
  const bool all_written = reports.write(result, recordings.front().library, provenance);
  std::printf("%s%s%s", failures_text(result, arguments.shown, colour).c_str(), gate_lists_text(result, arguments.shown).c_str(),
              idle.c_str());
  if (!result.gate->run.empty())
    std::printf("baseline: %s, %s\n", printable(arguments.baseline).c_str(), printable(result.gate->run).c_str());
  for (const std::string& note : result.gate->notes) std::printf("note: %s\n", printable(note).c_str());
  for (const std::string& gap : result.gate->gaps) std::printf("incomplete: %s\n", printable(gap).c_str());
  std::printf("%s", coloured(outcome_line(result), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

}  // namespace assay
