#include "suites/rows/row_op.h"

#include <algorithm>
#include <cstring>

#include "suites/rows/expect.h"
#include "suites/rows/layout_words.h"
#include "suites/rows/row_dump.h"
#include "suites/rows/row_shrink.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Size of a subsample. Every generator has repeated by then, and a mutant takes some milliseconds.
constexpr int64_t kExcerptElements = 1 << 18;

/// Row i of x becomes row rows[i] of another; what all rows share stays as it is.
void gather_rows(const RowCase& c, const HostTensor& from, const std::vector<int64_t>& rows, HostTensor& to) {
  if (from.spec.name == "global_scale") {
    const LevelGrid grid = c.scales.outer()->grid(c.m, c.n);
    for (size_t i = 0; i < rows.size(); ++i) to.set_code(grid.row_block > 0 ? int64_t(i) : 0, from.code(grid.of(rows[i], 0)));
    return;
  }
  if (from.spec.name != "x" && from.spec.name != "residual" && from.spec.name != "gate") return;
  const size_t bytes = size_t(from.spec.shape.back() * from.spec.format->bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(to.bytes.data() + size_t(to.spec.row(int64_t(i)) * to.spec.format->bytes()),
                from.bytes.data() + size_t(from.spec.row(rows[i]) * from.spec.format->bytes()), bytes);
}

}  // namespace

Expectation BoundRows::expect_of(const std::shared_ptr<const Contract>& contract, const Problem& problem,
                                 const std::vector<HostTensor>* outputs) const {
  return expect_rows(contract, c_, problem, outputs);
}

Expectation BoundRows::expect(const Problem& problem, const std::vector<HostTensor>* outputs) const {
  return expect_rows(c_->bound, c_, problem, outputs);
}

std::vector<Hypothesis> BoundRows::mutants() const { return row_hypotheses(c_); }

std::unique_ptr<const BoundCase> BoundRows::excerpt() const {
  if (c_->groups.capacity() > 0) return nullptr;  // its size is determined by its experts
  int64_t rows = std::max<int64_t>(1, kExcerptElements / c_->n);
  if (c_->m <= rows) return nullptr;
  if (c_->groups.any()) return with(c_->with_fewer_tokens(rows));
  // round up to whole groups
  if (c_->group_rows() < c_->m) rows = (rows + c_->group_rows() - 1) / c_->group_rows() * c_->group_rows();
  return rows < c_->m ? with(c_->with_rows(rows)) : nullptr;
}

CaseOfRows BoundRows::with_rows(const Problem& problem, const std::vector<int64_t>& rows) const {
  std::unique_ptr<const BoundRows> some = with(c_->with_rows(int64_t(rows.size())));
  Problem made = some->problem();
  for (size_t i = 0; i < problem.tensors.size(); ++i) gather_rows(*c_, problem.tensors[i], rows, made.tensors[i]);
  return {std::move(some), std::move(made), {{"m", std::to_string(rows.size())}}};
}

std::vector<std::string> BoundRows::formulas() const { return assay::formulas(*c_->bound); }

std::vector<std::string> BoundRows::trace(const Problem& problem, int64_t row, int64_t column) const {
  return trace_element(*c_, problem, row, column);
}

std::vector<std::string> BoundRows::layouts() const { return row_layout_lines(*c_); }

std::optional<Shrinking> BoundRows::shrinking(const std::map<std::string, int64_t>& multiple_of) const {
  return shrink_rows(*c_, multiple_of);
}

std::unique_ptr<const BoundRows> bind_rows(const std::shared_ptr<const RowOpParts>& op, const Case& c) {
  const Cells cells(c);
  op->chain.require(cells, cells.contract(), op->columns);
  RowCase p = read_row_case(c);
  CaseName name = row_name(c, p);
  return std::make_unique<const BoundRows>(op, std::move(p), std::move(name));
}

Op row_op(RowOpParts own) {
  const auto parts = std::make_shared<const RowOpParts>(std::move(own));
  return {.name = parts->name,
          .roles = parts->chain.roles(),
          .parameters = parts->chain.parameters(),
          .columns = parts->columns,
          .optional_columns = parts->optional_columns,
          .takes =
              [parts](const std::string& contract) {
                const ContractRow* row = rulebook().contracts.lookup(contract);
                return row != nullptr && parts->chain.why_not(*row, parts->columns).empty();
              },
          .bind = [parts](const Case& c) { return bind_rows(parts, c); },
          .case_of_dump = row_case_of_dump};
}

}  // namespace assay
