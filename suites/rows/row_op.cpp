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
  if (from.spec.name != "x" && from.spec.name != "residual") return;
  const size_t bytes = size_t(from.spec.shape.back() * from.spec.format->bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(to.bytes.data() + size_t(to.spec.row(int64_t(i)) * to.spec.format->bytes()),
                from.bytes.data() + size_t(from.spec.row(rows[i]) * from.spec.format->bytes()), bytes);
}

/// Fewer rows of each expert, and at least one of those that have some.
Case with_fewer_tokens(Case c, const RowCase& p, int64_t rows) {
  if (p.m <= rows) return c;
  std::string counts;
  for (int64_t count : p.tokens) {
    const int64_t fewer = std::max(std::min<int64_t>(count, 1), count * rows / p.m);
    counts.append(counts.empty() ? "" : ";").append(std::to_string(fewer));
  }
  c.parameters["tokens"] = counts;
  return c;
}

Contract contract_of(const RowCase& c) { return bind(rulebook().contracts, c.contract, *c.x); }

}  // namespace

Op row_op(std::string name, std::vector<std::string> columns, std::function<void(const Case&)> require,
          std::function<Problem(const RowCase&)> problem) {
  Op op;
  op.name = std::move(name);
  op.columns = std::move(columns);
  op.validate = [require = std::move(require)](Case c) {
    require(c);
    c.id = row_id(c, read_row_case(c));
    return c;
  };
  op.problem = [problem = std::move(problem)](const Case& c) { return problem(read_row_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>* outputs) {
    const RowCase p = read_row_case(c);
    return expect_rows(contract_of(p), p, made, outputs);
  };
  op.neighbours = [](const Case& c) { return row_hypotheses(read_row_case(c)); };
  op.excerpt = [](Case c) {
    const RowCase p = read_row_case(c);
    int64_t rows = std::max<int64_t>(1, kExcerptElements / p.n);
    if (!p.tokens.empty()) return with_fewer_tokens(std::move(c), p, rows);
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
