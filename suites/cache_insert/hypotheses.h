// What a paged cache would hold with one mistake.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// Edits of the contract, of the record, of the pitch of blocks and of the way of a slot, each with its own answer.
std::vector<Hypothesis> cache_hypotheses(const CacheCase& c);

}  // namespace assay
