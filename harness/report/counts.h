// Verdicts of a run counted for its summaries.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "harness/core/run.h"
#include "harness/core/verdict.h"

namespace assay {

/// In the order of every summary; what was not judged comes last, and only if there is any.
std::vector<Outcome> outcomes_of(const RunResult& result);

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
