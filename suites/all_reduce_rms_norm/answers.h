// Answers of norms of whole rows, dealt out to the ranks that have their columns.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "suites/all_reduce_rms_norm/sharded_case.h"

namespace assay {

/// What a norm makes of its problem and of what was stored.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// y of each matrix on each rank.
std::vector<Part> sharded_parts(const ShardedCase& c, const std::string& justification);

/// Each rank's columns of what the norms of the matrices, one each, make of whole rows.
Expectation of_norms(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                     const std::vector<NormAnswer>& norms);

}  // namespace assay
