// All-reduces in words: what became of one element, and what wrong ones have in common.
#pragma once

#include <string>
#include <vector>

#include "suites/all_reduce/rank_case.h"

namespace assay {

/// The element at a row and column: who owns it, the number of each rank in the order of additions, every sum, the result.
std::vector<std::string> trace_ranks(const RankCase& c, const Problem& problem, int64_t row, int64_t column);

/// Of outputs that are wrong: on which ranks, and in which owners' parts.
std::vector<std::string> rank_remarks(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

/// What all wrong elements hold instead: a result of the call before, sums of old and new numbers, the rank's own numbers,
/// nothing that anybody wrote. Empty if there is no such thing.
std::string rank_situation(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
