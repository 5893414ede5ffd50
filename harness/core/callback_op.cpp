#include "harness/core/callback_op.h"

#include <memory>

namespace assay {
namespace {

using Shared = std::shared_ptr<const CallbackOp>;

class CallbackCase : public BoundCase {
 public:
  CallbackCase(Shared op, Case one) : op_(std::move(op)), one_(std::move(one)) {}

  CaseName name() const override { return one_.name; }
  std::string arch() const override {
    const auto found = one_.parameters.find("arch");
    return found == one_.parameters.end() ? "" : found->second;
  }
  Problem problem() const override { return op_->problem(one_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return op_->expect(one_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return op_->neighbours ? op_->neighbours(one_) : std::vector<Hypothesis>(); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    if (!op_->excerpt) return nullptr;
    Case few = op_->excerpt(one_);
    return few.parameters == one_.parameters ? nullptr : std::make_unique<const CallbackCase>(op_, std::move(few));
  }
  Expectation programs(const Problem& problem) const override { return op_->programs ? op_->programs(one_, problem) : Expectation{}; }
  std::string program_meant(const std::string& said) const override { return op_->program_meant ? op_->program_meant(one_, said) : said; }
  int64_t independent_rows() const override { return op_->batch ? op_->batch->rows(one_) : 0; }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override {
    auto [some, made] = op_->batch->with_rows(one_, problem, rows);
    CellChanges cells;
    for (const auto& [column, cell] : some.parameters)
      if (const auto before = one_.parameters.find(column); before == one_.parameters.end() || before->second != cell) cells[column] = cell;
    return {std::make_unique<const CallbackCase>(op_, std::move(some)), std::move(made), std::move(cells)};
  }
  std::vector<Relation> relations(const Problem& problem) const override {
    return op_->relations ? op_->relations(one_, problem) : std::vector<Relation>();
  }
  std::vector<std::string> formulas() const override { return op_->formulas(one_); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return op_->trace(one_, problem, row, column);
  }
  std::vector<std::string> layouts() const override { return op_->layouts ? op_->layouts(one_) : std::vector<std::string>(); }
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return op_->remarks ? op_->remarks(one_, problem, outputs) : std::vector<std::string>();
  }
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return op_->situation ? op_->situation(one_, problem, outputs) : "";
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override {
    return op_->shrink ? std::optional(op_->shrink(one_, multiple_of)) : std::nullopt;
  }

 private:
  const Shared op_;
  const Case one_;
};

}  // namespace

Op bindable(CallbackOp functions) {
  const auto op = std::make_shared<const CallbackOp>(std::move(functions));
  return {.name = op->name,
          .roles = op->roles,
          .parameters = op->parameters,
          .columns = op->columns,
          .optional_columns = op->optional_columns,
          .data_column = op->data_column,
          .untried = op->untried,
          .takes = op->takes,
          .bind = [op](const Case& one) { return std::make_unique<const CallbackCase>(op, op->validate(one)); },
          .case_of_dump = op->case_of_dump};
}

}  // namespace assay
