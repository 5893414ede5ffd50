#include "suites/rows/row_op.h"

#include <algorithm>

#include "suites/rows/expect.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Enough for every fill to come round, and some milliseconds for each neighbour.
constexpr int64_t kExcerptElements = 1 << 18;

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
    c.parameters["m"] = std::to_string(std::min(p.m, std::max<int64_t>(1, kExcerptElements / p.n)));
    return c;
  };
  op.formulas = [](const Case& c) { return formulas(contract_of(read_row_case(c))); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_element(read_row_case(c), made, row, column);
  };
  return op;
}

}  // namespace assay
