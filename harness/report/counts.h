// Counts the verdicts of a run for summaries.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/run/run.h"

namespace assay {

/// Outcomes in display order. not_judged comes last and only if it occurs.
std::vector<Outcome> outcomes_of(const RunResult& result);

/// A finer classification than Outcome: a skip is either a refused call or a case that the library never offered.
enum class Standing { kPassed, kNotRun, kNotOffered, kFailed, kBroken, kUntrusted, kNotJudged };
inline constexpr std::array kStandings = {Standing::kPassed, Standing::kNotRun,    Standing::kNotOffered, Standing::kFailed,
                                          Standing::kBroken, Standing::kUntrusted, Standing::kNotJudged};
Standing standing_of(const Verdict& verdict);
const char* name(Standing standing);  ///< "not offered"
Outcome outcome_of(Standing standing);

/// Op, contract and warp size.
using CountKey = std::tuple<std::string, std::string, std::string>;
std::map<CountKey, std::map<Outcome, int64_t>> counts_by_contract(const RunResult& result);

/// Messages of the verdicts with one outcome, with counts.
std::map<std::string, int64_t> counts_by_message(const RunResult& result, Outcome outcome);

/// Results of the invariance tests as text, with counts: "batch holds", "stream not tried: ...", "breaks at batch".
std::map<std::string, int64_t> counts_by_rung(const RunResult& result);

/// "1 pass, 2 fail": the outcomes that occur, and how many of them are known failures.
std::string counts_text(const RunResult& result);

/// How the run ended, in capitals: "NOT AS EXPECTED".
std::string ending_text(const RunResult& result);

}  // namespace assay
