// The case of a fused op: an all-reduce, then on each rank a residual, a norm and possibly a quantization. Before the all-reduce,
// each rank may combine the rows of its experts.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/moe_combine/combine_case.h"
#include "suites/rows/row_op.h"

namespace assay {

/// Consists of an all-reduce case and a row-wise case, whose x is the sum. With a combine case, each rank first combines the rows
/// of its experts, and the all-reduce adds the results.
class BoundFused : public BoundCase {
 public:
  BoundFused(std::shared_ptr<const BoundRanks> sum, std::shared_ptr<const BoundRows> norm, std::optional<CombineCase> combine,
             CaseName name)
      : sum_(std::move(sum)), norm_(std::move(norm)), combine_(std::move(combine)), name_(std::move(name)) {}

  const RankCase& sum() const { return sum_->rank_case(); }
  const BoundRows& norm() const { return *norm_; }
  const std::optional<CombineCase>& combine() const { return combine_; }
  /// The problem after each rank has combined its rows, with x [m, n]. Without a combine case, the problem itself.
  Problem combined(const Problem& problem, const Combine* contract = nullptr) const;
  /// The call of one rank's norm, whose x is the sum.
  Problem norm_problem(const Problem& problem, const RankSums& sums, int rank) const;

  CaseName name() const override { return name_; }
  /// The call: x of each rank and the tensors of its norm. All ranks have the same residual, gamma and scale.
  Problem problem() const override;
  /// The accepted outputs of each rank. All ranks must return the same bits.
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  std::vector<std::string> formulas() const override;
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;

 private:
  const std::shared_ptr<const BoundRanks> sum_;
  const std::shared_ptr<const BoundRows> norm_;
  const std::optional<CombineCase> combine_;
  const CaseName name_;
};

/// Throws TableError. `norm`: the row-wise stages after the all-reduce.
std::unique_ptr<const BoundFused> bind_fused(const std::shared_ptr<const RowOpParts>& norm, const Case& c);

// Makes the ops that fuse an all-reduce with a norm. They differ in the stages after the norm.

/// `norm`: the row-wise stages after the all-reduce. `outputs`: the roles of all outputs except the residual, and of the given
/// scale if the op has one. `combines`: some contracts first combine the rows of experts.
Op fused_op(std::string name, RowChain norm, std::vector<RoleSpec> outputs, std::vector<std::string> columns,
            std::set<std::string> optional_columns = {"before"}, bool combines = false);

}  // namespace assay
