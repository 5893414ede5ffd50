#include <fmt/format.h>

#include <algorithm>

#include "reference/flow/dot/words.h"
#include "reference/flow/flow.h"
#include "suites/gemm_scaled/expect.h"
#include "suites/gemm_scaled/words.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Products that power is reckoned on; of a long k at least so many rows and columns.
constexpr int64_t kExcerptProducts = 1 << 19, kExcerptRows = 6, kExcerptColumns = 16;

Case validate(Case c) {
  const GemmCase p = read_gemm_case(c);
  c.set_name({c.op, p.id(), fmt::format("{}.m{}.n{}.k{}.{}", p.y->name, p.m, p.n, p.k, name_of(p.scales)),
              fmt::format("{}.{}.{}{}.s{}", p.fill, p.b, p.scale, p.bias.empty() ? "" : "." + p.bias, p.seed), p.warp});
  return c;
}

Case excerpt(Case c) {
  const int64_t m = c.integer("m"), n = c.integer("n"), elements = kExcerptProducts / c.integer("k");
  const int64_t columns = std::min(n, std::max(kExcerptColumns, elements / m)),
                rows = std::min(m, std::max(kExcerptRows, elements / columns));
  c.parameters["m"] = std::to_string(rows);
  c.parameters["n"] = std::to_string(columns);
  return c;
}

Shrinking shrink(const Case& c, const std::map<std::string, int64_t>&) {
  const GemmCase p = read_gemm_case(c);
  const auto cells = [](const char* column) {
    return [column](int64_t units) { return std::map<std::string, std::string>{{column, std::to_string(units)}}; };
  };
  return {{{p.m, cells("m")}, {p.n, cells("n")}, {p.k, cells("k")}}, {}, p.m * p.n * p.k};
}

}  // namespace

Op gemm_scaled_op() {
  Op op;
  op.name = "gemm_scaled";
  op.roles = {{"a", Access::kIn, "[m, k]: codes of the activations, row-major and dense"},
              {"b", Access::kIn, "[n, k]: codes of the weights, a row for each column of d; d = a * b^T"},
              {"scale_a", Access::kIn, "[1] or [m] f32: the scale of a, or of each of its rows"},
              {"scale_b", Access::kIn, "[1] or [n] f32: likewise of b"},
              {"bias", Access::kIn, "[n] in the format of d: added to each row, of cases that have one"},
              {"d", Access::kOut, "[m, n]: the scaled product"}};
  op.parameters = {roles::kWarp};
  op.takes = [](const std::string& contract) { return rulebook().contracts.find(contract).flow->kind == FlowKind::kDot; };
  op.columns = {"contract", "m", "n", "k", "fill", "b", "scales", "scale", "y", "bias", "seed", "warp"};
  op.optional_columns = {"bias"};
  op.validate = validate;
  op.problem = [](const Case& c) { return gemm_problem(read_gemm_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const GemmCase p = read_gemm_case(c);
    return expect_product(p, p.contract, made);
  };
  op.neighbours = [](const Case& c) { return gemm_hypotheses(read_gemm_case(c)); };
  op.programs = [](const Case& c, const Problem& made) { return every_program(read_gemm_case(c), made); };
  op.excerpt = excerpt;
  op.batch = BatchAxis{[](const Case& c) { return read_gemm_case(c).m; }, gemm_with_rows};
  op.formulas = [](const Case& c) { return dot_lines(read_gemm_case(c).contract); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_product(read_gemm_case(c), made, row, column);
  };
  op.remarks = [](const Case& c, const Problem& made, const std::vector<HostTensor>& outputs) {
    return product_remarks(read_gemm_case(c), made, outputs);
  };
  op.shrink = shrink;
  return op;
}

}  // namespace assay
