// One case of op all_reduce_add_rms_norm: a sum over ranks, and behind it a residual and a norm on every rank.
#pragma once

#include "harness/core/op.h"
#include "reference/contracts/bind.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/rows/row_case.h"

namespace assay {

struct FusedCase {
  std::string id;
  RankCase sum;    ///< of the ranks
  Case norm_case;  ///< of op fused_add_rms_norm, whose x is that sum
  RowCase norm;
};

/// Throws TableError.
FusedCase read_fused_case(const Case& c);

/// x, residual, gamma and y of each rank; all ranks have the same residual and gamma.
Problem fused_problem(const FusedCase& c);

/// What a rank goes on with behind the sum: the problem of its norm.
Problem norm_problem(const FusedCase& c, const Problem& problem, const RankSums& sums, int rank);

/// y and the residual of each rank by some sum and some norm, and one rule: all ranks have the same bits. `mistake`: of the sum.
/// `norm`: what a norm makes of its problem and of what was stored, null for that of the contract.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;
Expectation expect_fused(const FusedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                         const RankReduce& contract, const RankMistake& mistake = {}, const NormAnswer& norm = nullptr);

std::vector<Hypothesis> fused_hypotheses(const FusedCase& c);

}  // namespace assay
