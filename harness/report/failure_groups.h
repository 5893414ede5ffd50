// Counts the verdicts of a run for summaries.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/run/run.h"

namespace assay {

/// Outcomes in display order. flaky and unjudged come last and only if they occur.
std::vector<Outcome> outcomes_of(const RunResult& result);

/// As Outcome, but with two kinds of skip: kNotRun (the kernel refused the call), kNotOffered (the library has no kernel for it).
enum class Standing { kPassed, kNotRun, kNotOffered, kFailed, kBroken, kUntrusted, kFlaky, kNotJudged };
inline constexpr std::array kStandings = {Standing::kPassed, Standing::kNotRun,    Standing::kNotOffered, Standing::kFailed,
                                          Standing::kBroken, Standing::kUntrusted, Standing::kFlaky, Standing::kNotJudged};
Standing standing_of(const Verdict& verdict);
const char* name(Standing standing);  ///< "not offered"
Outcome outcome_of(Standing standing);

/// Op, contract and warp size.
using CountKey = std::tuple<std::string, std::string, std::string>;
std::map<CountKey, std::map<Outcome, int64_t>> counts_by_contract(const RunResult& result);

/// Messages of the verdicts with one outcome, with counts.
std::map<std::string, int64_t> counts_by_message(const RunResult& result, Outcome outcome);

/// Results of the determinism tests (--ladder) as text, with counts: "batch holds", "stream not tried: ...", "breaks at batch".
std::map<std::string, int64_t> counts_by_rung(const RunResult& result);

/// "1 pass, 2 fail": the outcomes that occur, and how many of the verdicts are on the known-failures list.
std::string counts_text(const RunResult& result);

/// Number of verdicts in each state of the gate.
std::map<GateState, int64_t> counts_by_state(const RunResult& result);

/// "1 new, 0 gone, 2 known, 0 fixed, 5 changed within the budget, 42 same bits": all six states; passes that the baseline lacks
/// come last and only if there are any.
std::string states_text(const RunResult& result);

/// Whether a verdict of this state lets the gate pass under these options: "fails", "passes, with a note".
const char* gate_effect(GateState state, const GateRun& run);

/// How the run ended, in capitals: "NOT AS EXPECTED".
std::string ending_text(const RunResult& result);

// Groups the failures of a run by cause, for reports that show each cause once.

/// Outcomes that indicate a fault of a kernel or a case.
constexpr bool is_bad(Outcome outcome) { return outcome != Outcome::kPass && outcome != Outcome::kSkip; }

/// Failures of one kernel on the same inputs at several warp sizes, with the same cause. Reports show them once.
struct Twins {
  std::vector<size_t> places;  ///< indices of these verdicts in the run; reports show the first
};

/// Failures whose causes differ only in numbers. A group without a known cause has failures of one kernel only, since two unknown
/// causes may differ.
struct FailureGroup {
  std::string cause;     ///< cause of the first failure without counts; empty if unknown
  bool expected = true;  ///< every failure is on the known-failures list
  int64_t verdicts = 0;
  std::vector<Twins> failures;  ///< in run order
  std::set<std::string> kernels;

  size_t first() const { return failures.front().places.front(); }
};

/// Sorted: unexpected groups first, then by number of verdicts, then in run order.
std::vector<FailureGroup> failures_by_cause(const RunResult& result);

/// The case ids of one Twins as one text: "quant_group/.../ties.s1/w32 and w64".
std::string twins_text(const RunResult& result, const Twins& twins);

// Compares a run with the JSON report of an earlier one.

/// Outcomes of an earlier run by case and kernel.
struct EarlierRun {
  std::string path, begun;  ///< start of that run, if its report states one; else empty
  std::map<std::pair<std::string, std::string>, std::string> outcomes;
};

/// Reads a report written by `--report json:FILE`. Throws UsageError that names the file and the missing key.
EarlierRun read_earlier_run(const std::string& path);

struct Trend {
  std::vector<const Verdict*> worse;   ///< passed earlier, fail now
  std::vector<const Verdict*> better;  ///< failed earlier, pass now
  std::vector<const Verdict*> fresh;   ///< fail now, and were not checked in the earlier run
  int64_t still_bad = 0, still_passed = 0;
  int64_t gone = 0;  ///< checked earlier, missing in this run
};

Trend trend_of(const RunResult& result, const EarlierRun& earlier);

}  // namespace assay
