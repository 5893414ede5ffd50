// The accepted outputs of a case on every rank, and its mutants.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/rank_reduce/rank_reduce_mutants.h"
#include "suites/all_reduce/rank_case.h"

namespace assay {

/// y of each rank, and one rule: equal bits on all ranks.
Expectation expect_ranks(const RankCase& c, const RankReduce& contract, const Problem& problem);

std::vector<Hypothesis> rank_hypotheses(const RankCase& c);

}  // namespace assay
