// Contents of a paged cache after a kernel with one mistake.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// Mutants of the contract, the record, the distance of blocks and the slot computation, each with its own answer.
std::vector<Hypothesis> cache_hypotheses(const CacheCase& c);

}  // namespace assay
