#include "suites/rows/row_op.h"

#include <algorithm>
#include <cstring>

#include "suites/rows/expect.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Enough for every fill to come round, and some milliseconds for each neighbour.
constexpr int64_t kExcerptElements = 1 << 18;

/// Row i of x becomes row rows[i] of another; what all rows share stays as it is.
void gather_rows(const HostTensor& from, const std::vector<int64_t>& rows, HostTensor& to) {
  if (from.spec.name != "x") return;
  const size_t bytes = size_t(from.spec.shape[1] * from.spec.format->bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(to.bytes.data() + i * bytes, from.bytes.data() + size_t(rows[i]) * bytes, bytes);
}

Contract contract_of(const RowCase& c) { return bind(rulebook().contracts, c.contract, *c.x); }

}  // namespace

Op row_op(std::string name, std::vector<std::string> columns, std::function<Case(Case)> validate,
          std::function<Problem(const Case&)> problem) {
  Op op;
  op.name = std::move(name);
  op.columns = std::move(columns);
  op.validate = std::move(validate);
  op.problem = std::move(problem);
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>* outputs) {
    const RowCase p = read_row_case(c);
    return expect_rows(contract_of(p), p, made, outputs);
  };
  op.neighbours = [](const Case& c) { return row_hypotheses(read_row_case(c)); };
  op.excerpt = [](Case c) {
    const RowCase p = read_row_case(c);
    int64_t rows = std::max<int64_t>(1, kExcerptElements / p.n);
    if (p.group_rows < p.m) rows = (rows + p.group_rows - 1) / p.group_rows * p.group_rows;  // whole groups
    c.parameters["m"] = std::to_string(std::min(p.m, rows));
    return c;
  };
  op.rows = [](const Case& c) { return read_row_case(c).m; };
  op.with_rows = [make = op.problem](Case c, const Problem& made, const std::vector<int64_t>& rows) {
    c.parameters["m"] = std::to_string(rows.size());
    Problem problem = make(c);
    for (size_t i = 0; i < made.tensors.size(); ++i) gather_rows(made.tensors[i], rows, problem.tensors[i]);
    return std::pair(c, problem);
  };
  op.formulas = [](const Case& c) { return formulas(contract_of(read_row_case(c))); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_element(read_row_case(c), made, row, column);
  };
  return op;
}

}  // namespace assay
