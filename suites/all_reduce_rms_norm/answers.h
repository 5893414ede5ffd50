// Distributes the answers of norms of whole rows to the ranks that hold their columns.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "suites/all_reduce_rms_norm/sharded_case.h"

namespace assay {

/// The norm's answer for a problem and stored outputs.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// y of each matrix on each rank.
std::vector<Part> sharded_parts(const ShardedCase& c, const std::string& justification);

/// Each rank's columns of the answers of the norms of whole rows, one norm per matrix.
Expectation of_norms(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                     const std::vector<NormAnswer>& norms);

}  // namespace assay
