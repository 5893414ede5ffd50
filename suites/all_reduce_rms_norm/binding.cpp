#include <fmt/format.h>

#include <algorithm>

#include "harness/core/callback_op.h"
#include "reference/flow/flow.h"
#include "suites/all_reduce_rms_norm/sharded_case.h"
#include "suites/ops.h"
#include "suites/registry.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kExcerptElements = 1 << 14;

Case validate(Case c) {
  const ShardedCase p = read_sharded_case(c);
  const RowCase& norm = p.matrices.front().norm;
  c.set_name({c.op, p.id(),
              fmt::format("{}.r{}.m{}.n{}{}.eps{}{}", p.x->name, p.ranks, p.rows(), norm.n,
                          p.matrices.size() > 1 ? fmt::format(".k{}", p.matrices.back().norm.n) : "", c.text("eps"),
                          p.before > 0 ? fmt::format(".after{}", p.before) : ""),
              fmt::format("{}.{}.s{}", norm.fill, norm.gamma, p.seed), norm.warp});
  return c;
}

std::vector<std::string> trace(const Case& c, const Problem& problem, int64_t row, int64_t column) {
  const ShardedCase p = read_sharded_case(c);
  const ShardedMatrix& first = p.matrices.front();
  std::vector<std::string> lines = {
      fmt::format("column {} of the first rank, of {} columns on {} ranks", column, first.norm.n, p.ranks)};
  for (std::string& line : find_op(first.norm_case.op).bind(first.norm_case)->trace(whole_problem(p, first, problem), row, column))
    lines.push_back(std::move(line));
  return lines;
}

}  // namespace

Op all_reduce_rms_norm_op() {
  CallbackOp op;
  op.name = "all_reduce_rms_norm";
  op.roles = {{"x", Access::kIn, "[m, n / ranks] of each rank: its columns of the rows, dense"},
              {"gamma", Access::kIn, "[n / ranks] of each rank: the weights of its columns"},
              {"y", Access::kOut, "[m, n / ranks] of each rank in the format of x"},
              {"k", Access::kIn, "[m, n_k / ranks]: a second matrix with rows and a factor of its own; of contracts with two"},
              {"gamma_k", Access::kIn, "[n_k / ranks]: its weights"},
              {"y_k", Access::kOut, "[m, n_k / ranks]: its result"}};
  op.parameters = {roles::kEps, roles::kWarp};
  op.takes = [](const std::string& contract) { return rulebook().is_row(contract, FlowKind::kRankSquares); };
  op.columns = {"contract", "ranks", "x", "m", "n", "n_k", "eps", "fill", "gamma", "before", "seed", "warp"};
  op.optional_columns = {"n_k", "before"};
  op.validate = validate;
  op.problem = [](const Case& c) { return sharded_problem(read_sharded_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>* outputs) {
    return expect_sharded(read_sharded_case(c), made, outputs);
  };
  op.neighbours = [](const Case& c) { return sharded_hypotheses(read_sharded_case(c)); };
  op.excerpt = [](Case c) {
    const int64_t rows = std::max<int64_t>(1, kExcerptElements / c.integer("n"));
    c.parameters["m"] = std::to_string(std::min(c.integer("m"), rows));
    return c;
  };
  op.formulas = [](const Case& c) {
    const ShardedCase p = read_sharded_case(c);
    std::vector<std::string> lines = {
        fmt::format("x     = the columns of all {} ranks side by side; their squares alone cross ranks", p.ranks)};
    const ShardedMatrix& first = p.matrices.front();
    for (std::string& line : find_op(first.norm_case.op).bind(first.norm_case)->formulas()) lines.push_back(std::move(line));
    if (p.matrices.size() > 1) lines.emplace_back("k       likewise, with a factor and weights of its own");
    return lines;
  };
  op.trace = trace;
  op.situation = [](const Case& c, const Problem& made, const std::vector<HostTensor>& outputs) {
    return sharded_situation(read_sharded_case(c), made, outputs);
  };
  return bindable(std::move(op));
}

}  // namespace assay
