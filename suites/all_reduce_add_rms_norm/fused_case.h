// One case of a fused op: a sum over ranks, and behind it a residual and a norm on every rank, and perhaps a quantization.
#pragma once

#include "harness/core/op.h"
#include "reference/contracts/bind.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/rows/row_case.h"

namespace assay {

struct FusedCase {
  std::string id;
  RankCase sum;    ///< of the ranks
  Case norm_case;  ///< of the op that norms one rank's rows, whose x is that sum
  RowCase norm;
};

/// The op that does what such an op does behind the sum.
std::string norm_op_of(const std::string& op);

/// Throws TableError.
FusedCase read_fused_case(const Case& c);

/// x of each rank and the tensors of its norm; all ranks have the same residual, gamma and scale.
Problem fused_problem(const FusedCase& c);

/// What a rank goes on with behind the sum: the problem of its norm.
Problem norm_problem(const FusedCase& c, const Problem& problem, const RankSums& sums, int rank);

/// What each rank stores by some sum and some norm, and one rule: all ranks have the same bits.
/// `norm`: what a norm makes of its problem and of what was stored, null for that of the contract.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;
Expectation expect_fused(const FusedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                         const RankReduce& contract, const NormAnswer& norm = nullptr);

std::vector<Hypothesis> fused_hypotheses(const FusedCase& c);

}  // namespace assay
