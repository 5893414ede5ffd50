// The bound case of every row-wise op, and the op of a chain of stages.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/rows/row_stages.h"

namespace assay {

/// The parts that differ between ops.
struct RowOpParts {
  std::string name;
  RowChain chain;
  std::vector<std::string> columns;
  std::set<std::string> optional_columns{};
  /// The result of a row does not depend on other rows, so each row may be called alone.
  bool independent_rows = true;
};

/// A case of a chain of stages. Composed ops use it and supply their own rows.
class BoundRows : public BoundCase {
 public:
  BoundRows(std::shared_ptr<const RowOpParts> op, RowCase c, CaseName name)
      : op_(std::move(op)), c_(std::make_shared<const RowCase>(std::move(c))), name_(std::move(name)) {}

  const RowCase& row_case() const { return *c_; }
  /// The same op with another case.
  std::unique_ptr<const BoundRows> with(RowCase c) const { return std::make_unique<const BoundRows>(op_, std::move(c), name_); }
  /// The call on rows that are the result of another op.
  Problem problem_of(HostTensor x) const { return op_->chain.problem(*c_, std::move(x)); }
  /// As expect(), for another contract of the same op kind.
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

/// Parses and names a case of the op. Throws TableError.
std::unique_ptr<const BoundRows> bind_rows(const std::shared_ptr<const RowOpParts>& op, const Case& c);

Op row_op(RowOpParts parts);

}  // namespace assay
