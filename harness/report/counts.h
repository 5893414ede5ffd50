// Verdicts of a run counted for its summaries.
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

/// In the order of every summary; what was not judged comes last, and only if there is any.
std::vector<Outcome> outcomes_of(const RunResult& result);

/// What a reader asks of a verdict first: a skip may be the library's refusal of a call, or a case that it never offered.
enum class Standing { kPassed, kNotRun, kNotOffered, kFailed, kBroken, kUntrusted, kNotJudged };
inline constexpr std::array kStandings = {Standing::kPassed, Standing::kNotRun,    Standing::kNotOffered, Standing::kFailed,
                                          Standing::kBroken, Standing::kUntrusted, Standing::kNotJudged};
Standing standing_of(const Verdict& verdict);
const char* name(Standing standing);  ///< "not offered"
Outcome outcome_of(Standing standing);

/// By op, contract and warp.
using CountKey = std::tuple<std::string, std::string, std::string>;
std::map<CountKey, std::map<Outcome, int64_t>> counts_by_contract(const RunResult& result);

/// The messages of the verdicts of one outcome.
std::map<std::string, int64_t> counts_by_message(const RunResult& result, Outcome outcome);

/// What the ladder of determinism found, in words: "batch holds", "stream not tried: ...", "breaks at batch".
std::map<std::string, int64_t> counts_by_rung(const RunResult& result);

/// "1 pass, 2 fail": the outcomes that there are, and how many of them are known deviations.
std::string counts_text(const RunResult& result);

/// How the run ended, in capitals: "NOT AS EXPECTED".
std::string ending_text(const RunResult& result);

}  // namespace assay
