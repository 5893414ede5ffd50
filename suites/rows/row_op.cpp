#include "suites/rows/row_op.h"

#include <algorithm>
#include <cstring>

#include "suites/rows/cells.h"
#include "suites/rows/expect.h"
#include "suites/rows/layout_words.h"
#include "suites/rows/row_dump.h"
#include "suites/rows/row_shrink.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Elements of an excerpt: every fill has repeated itself by then, and a neighbour takes some milliseconds.
constexpr int64_t kExcerptElements = 1 << 18;

/// Row i of x becomes row rows[i] of another; what all rows share stays as it is.
void gather_rows(const HostTensor& from, const std::vector<int64_t>& rows, HostTensor& to) {
  if (from.spec.name != "x" && from.spec.name != "residual" && from.spec.name != "gate") return;
  const size_t bytes = size_t(from.spec.shape.back() * from.spec.format->bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(to.bytes.data() + size_t(to.spec.row(int64_t(i)) * to.spec.format->bytes()),
                from.bytes.data() + size_t(from.spec.row(rows[i]) * from.spec.format->bytes()), bytes);
}

Contract contract_of(const RowCase& c) { return bind(rulebook().contracts, c.contract, *c.x); }

}  // namespace

CallbackOp row_op(RowOpParts parts) {
  CallbackOp op;
  op.name = std::move(parts.name);
  op.roles = std::move(parts.roles);
  op.parameters = std::move(parts.parameters);
  op.columns = std::move(parts.columns);
  op.optional_columns = std::move(parts.optional_columns);
  op.takes = [columns = op.columns, require = parts.require](const std::string& contract) {
    return takes_contract(contract, columns, [&](const Case& probe) {
      require(probe);
      require_columns(probe);
    });
  };
  op.validate = [require = std::move(parts.require)](Case c) {
    require(c);
    c.set_name(row_name(c, read_row_case(c)));
    return c;
  };
  op.problem = [problem = std::move(parts.problem)](const Case& c) { return problem(read_row_case(c)); };
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
  const auto with_rows = [make = op.problem](Case c, const Problem& made, const std::vector<int64_t>& rows) {
    c.parameters["m"] = std::to_string(rows.size());
    Problem problem = make(c);
    for (size_t i = 0; i < made.tensors.size(); ++i) gather_rows(made.tensors[i], rows, problem.tensors[i]);
    return std::pair(c, problem);
  };
  op.batch = CallbackOp::Batch{[](const Case& c) { return read_row_case(c).m; }, with_rows};
  op.formulas = [](const Case& c) { return formulas(contract_of(read_row_case(c))); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_element(read_row_case(c), made, row, column);
  };
  op.layouts = [](const Case& c) { return row_layout_lines(read_row_case(c)); };
  op.case_of_dump = row_case_of_dump;
  op.shrink = shrink_rows;
  return op;
}

}  // namespace assay
