// Adding up ranks in words.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/rank_reduce/rank_reduce.h"

namespace assay {

/// The contract as formulas, a line a step.
std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x);

}  // namespace assay
