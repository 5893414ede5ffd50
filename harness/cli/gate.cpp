// assay gate --baseline DIR DIR...: shows how a change of kernels changed their bits. Every verdict is computed again, as by
// judge, and the outputs are compared with the baseline's.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>

#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/recordings.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/dump/recording.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/report/verdict_text.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

using Key = std::pair<std::string, std::string>;  ///< case id and kernel name

/// Classification of a verdict.
enum class GateClass { kSameBits, kChanged, kNew, kViolation, kGone };
constexpr std::array kStandings{GateClass::kSameBits, GateClass::kChanged, GateClass::kNew, GateClass::kViolation, GateClass::kGone};

const char* name(GateClass standing) {
  switch (standing) {
    case GateClass::kSameBits:
      return "same bits";
    case GateClass::kChanged:
      return "changed within the budget";
    case GateClass::kNew:
      return "not in the baseline";
    case GateClass::kViolation:
      return "violation";
    case GateClass::kGone:
      return "gone since the baseline";
  }
  return "?";
}

/// The baseline's calls that produced outputs, and their recordings.
class Baseline {
 public:
  explicit Baseline(const std::string& folder) : recordings_(open_recordings({folder})) {
    for (const Recording& recording : recordings_)
      for (const RecordedVerdict& recorded : recording.verdicts)
        if (!recorded.file.empty()) calls_[{recorded.verdict.case_id, recorded.verdict.kernel}] = {&recording, &recorded};
  }

  const std::vector<Recording>& recordings() const { return recordings_; }
  const std::map<Key, std::pair<const Recording*, const RecordedVerdict*>>& calls() const { return calls_; }

 private:
  std::vector<Recording> recordings_;
  std::map<Key, std::pair<const Recording*, const RecordedVerdict*>> calls_;
};

/// Comparison of one call's outputs with the baseline's.
struct Comparison {
  bool comparable = false;  ///< the baseline has the call, with the same inputs
  std::string why_not{};    ///< why the baseline's call cannot be compared, if it has the call
  std::vector<PartChange> changes{};
};

Comparison compare_with(const Baseline& baseline, const Key& key, const Evidence& evidence) {
  const auto found = baseline.calls().find(key);
  if (found == baseline.calls().end() || evidence.outputs == nullptr) return {};
  try {
    const RecordedCall before = read_call(*found->second.first, *found->second.second);
    if (std::string other = input_difference(evidence.problem, before.inputs); !other.empty())
      return {.why_not = "in the baseline: " + other};
    const Expectation expectation = evidence.bound.expect(evidence.problem, evidence.outputs);
    return {.comparable = true, .why_not = {}, .changes = changes(expectation.parts(), before.result.outputs, *evidence.outputs)};
  } catch (const std::exception& error) {
    return {.why_not = error.what()};
  }
}

std::string change_text(const PartChange& c) {
  const std::string format(c.format->name);
  const auto code = [&](uint32_t bits) { return code_text(format, bits, decode(*c.format, bits)); };
  return fmt::format("{} {} {}: {} of {} elements changed, by at most {} ulp; first [{}, {}], {} before, {} now", c.part,
                     shape_text(c.shape), format, c.changed, c.elements(), c.most_ulps, c.at[0], c.at[1], code(c.before),
                     code(c.now));
}

/// Verdicts by classification, with a line for each.
struct Gate {
  std::map<GateClass, std::vector<std::string>> lines;

  /// Adds a verdict, and appends what changed to the notes of its tensors.
  void add(Verdict& verdict, const Comparison& comparison) {
    std::string line = verdict.case_id + " " + verdict.kernel;
    if (!comparison.why_not.empty()) line += ": " + comparison.why_not;
    for (const PartChange& change : comparison.changes) {
      line += "\n  " + change_text(change);
      for (TensorFinding& finding : verdict.tensors)
        if (finding.name == change.part) finding.notes.push_back("since the baseline: " + change_text(change));
    }
    lines[standing(verdict, comparison)].push_back(line);
  }

  size_t count(GateClass standing) const {
    const auto found = lines.find(standing);
    return found == lines.end() ? 0 : found->second.size();
  }

 private:
  static GateClass standing(const Verdict& verdict, const Comparison& comparison) {
    if (!as_expected(verdict)) return GateClass::kViolation;
    if (!comparison.comparable) return GateClass::kNew;
    return comparison.changes.empty() ? GateClass::kSameBits : GateClass::kChanged;
  }
};

/// Prints the first lines of each class that needs attention. Violations were already printed as failures.
void print(const Gate& gate) {
  constexpr size_t kMostPrinted = 20;
  for (const GateClass standing : {GateClass::kChanged, GateClass::kNew, GateClass::kGone}) {
    if (gate.count(standing) == 0) continue;
    std::printf("%s:\n", name(standing));
    const std::vector<std::string>& lines = gate.lines.at(standing);
    for (size_t i = 0; i < lines.size() && i < kMostPrinted; ++i) std::printf("%s\n", printable_lines(lines[i]).c_str());
    if (lines.size() > kMostPrinted) std::printf("and %zu more; --report json:FILE has all\n", lines.size() - kMostPrinted);
  }
}

std::string summary_line(const Gate& gate, bool open) {
  std::string text = open ? "GATE OPEN:" : "GATE CLOSED:";
  const char* before = " ";
  for (const GateClass standing : kStandings)
    text += fmt::format("{}{} {}", std::exchange(before, ", "), gate.count(standing), name(standing));
  return text + "\n";
}

}  // namespace

int gate_verb(const GateArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  const Baseline baseline(arguments.baseline);
  const std::vector<Recording> recordings = open_recordings(arguments.targets);
  const std::vector<RecordedCase> recorded = recorded_cases(recordings, cases);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);

  end_on_signals();
  std::mutex mutex;
  std::map<Key, Comparison> comparisons;
  const PowerRecords power = recorded_power(cases);
  RunResult result = judge_recorded(*arguments.suites.ops, recorded, power, [&](const Evidence& evidence, const Verdict& verdict) {
    Comparison comparison = compare_with(baseline, {verdict.case_id, verdict.kernel}, evidence);
    const std::lock_guard lock(mutex);
    comparisons[{verdict.case_id, verdict.kernel}] = std::move(comparison);
  });

  const bool colour = wants_colour(STDOUT_FILENO);
  Gate gate;
  std::set<Key> there;
  for (Verdict& verdict : result.verdicts) {
    ledger.expect(verdict);
    result.device_lost |= verdict.device_lost;
    if (verdict.outcome == Outcome::kSkip && as_expected(verdict)) continue;
    const Key key{verdict.case_id, verdict.kernel};
    there.insert(key);
    gate.add(verdict, comparisons[key]);
  }
  std::set<std::string> selected;
  for (const Case& one : cases) selected.insert(one.id);
  for (const auto& [key, call] : baseline.calls())
    if (selected.contains(key.first) && !there.contains(key)) gate.lines[GateClass::kGone].push_back(key.first + " " + key.second);

  reconcile(result);
  provenance.ended = utc_now();
  provenance.ended_early = result.ended_by;
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, power);
  const bool all_written = reports.write(result, recordings.front().library, provenance);
  std::vector<std::string> gaps = gaps_of(recordings);
  for (const std::string& gap : gaps_of(baseline.recordings())) gaps.push_back(gap);
  std::printf("%s", failures_text(result, arguments.shown, colour).c_str());
  print(gate);
  for (const std::string& gap : gaps) std::printf("incomplete: %s\n", gap.c_str());
  const bool open = gaps.empty() && gate.count(GateClass::kViolation) == 0 && gate.count(GateClass::kGone) == 0 &&
                    !(arguments.same_bits && gate.count(GateClass::kChanged) > 0);
  std::printf("%s", coloured(summary_line(gate, open), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  if (!open) return kUnexpected;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

}  // namespace assay
