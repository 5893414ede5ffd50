// Text about all-reduces: the trace of one element, and common properties of wrong elements.
#pragma once

#include <string>
#include <vector>

#include "suites/all_reduce/rank_case.h"

namespace assay {

/// Trace of an element: its owner, the value of each rank in the order of additions, every partial sum, the result.
std::vector<std::string> trace_ranks(const RankCase& c, const Problem& problem, int64_t row, int64_t column);

/// For wrong outputs: the affected ranks, and the affected owners' segments.
std::vector<std::string> rank_remarks(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

/// What all wrong elements contain instead: a result of the previous call, sums of old and new values, the rank's own values, or
/// unwritten memory. Empty if there is no common explanation.
std::string rank_situation(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
