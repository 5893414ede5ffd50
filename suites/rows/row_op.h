// The bound case of every row-wise op, and the op of a chain of stages.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/rows/row_stages.h"

namespace assay {

/// What is an op's own.
struct RowOpParts {
  std::string name;
  RowChain chain;
  std::vector<std::string> columns;
  std::set<std::string> optional_columns{};
  /// What a row gets does not depend on other rows, and each row of a case may be called alone.
  bool independent_rows = true;
};

/// A case of a chain of stages. Other ops are composed of it, and give it rows of their own.
class BoundRows : public BoundCase {
 public:
  BoundRows(std::shared_ptr<const RowOpParts> op, RowCase c, CaseName name)
      : op_(std::move(op)), c_(std::make_shared<const RowCase>(std::move(c))), name_(std::move(name)) {}

  const RowCase& row_case() const { return *c_; }
  /// The op's answer to another case.
  std::unique_ptr<const BoundRows> with(RowCase c) const { return std::make_unique<const BoundRows>(op_, std::move(c), name_); }
  /// The call whose rows are those of another op's result.
  Problem problem_of(HostTensor x) const { return op_->chain.problem(*c_, std::move(x)); }
  /// As expect(), of another contract of the same kind.
  Expectation expect_of(const std::shared_ptr<const Contract>& contract, const Problem& problem,
                        const std::vector<HostTensor>* outputs) const;

  CaseName name() const override { return name_; }
  Problem problem() const override { return op_->chain.problem(*c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  int64_t independent_rows() const override { return op_->independent_rows ? c_->m : 0; }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override;
  std::vector<std::string> formulas() const override;
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::vector<std::string> layouts() const override;
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override;

 private:
  const std::shared_ptr<const RowOpParts> op_;
  const std::shared_ptr<const RowCase> c_;
  const CaseName name_;
};

/// Reads and names a case of the op. Throws TableError.
std::unique_ptr<const BoundRows> bind_rows(const std::shared_ptr<const RowOpParts>& op, const Case& c);

Op row_op(RowOpParts parts);

}  // namespace assay
