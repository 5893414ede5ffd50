#include "suites/all_reduce_add_rms_norm/fused_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/core/callback_op.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_norm/rank_norm.h"
#include "reference/flow/rank_reduce/words.h"
#include "suites/all_reduce/words.h"
#include "suites/all_reduce_add_rms_norm/fused_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kExcerptElements = 1 << 11;

/// "normal.normal.gamma", and behind it the fill of a given scale.
std::string fills_of(const FusedCase& p) {
  const std::string scale = p.norm.scale_fill.empty() ? "" : "." + p.norm.scale_fill;
  return fmt::format("{}.{}.{}{}.s{}", p.sum.fill, p.norm.residual, p.norm.gamma, scale, p.sum.seed);
}

/// What a quantization adds: "g128.ue8m0x4_tma".
std::string scales_of(const Case& c, const FusedCase& p) {
  if (p.norm.group_size == 0) return "";
  const std::string group = c.text("group_size");
  return fmt::format(".{}{}.{}", group == "row" || group == "tensor" ? "" : "g", group, p.norm.layout->id);
}

Case validate(Case c) {
  const FusedCase p = read_fused_case(c);
  const RankCase& s = p.sum;
  c.set_name({c.op, p.id,
              fmt::format("{}.r{}.m{}.n{}{}.eps{}{}", s.x->name, s.ranks, s.m, s.n, scales_of(c, p), c.text("eps"),
                          s.before > 0 ? fmt::format(".after{}", s.before) : ""),
              fills_of(p), s.warp});
  return c;
}

std::vector<std::string> trace(const Case& c, const Problem& problem, int64_t row, int64_t column) {
  const FusedCase p = read_fused_case(c);
  std::vector<std::string> lines = trace_ranks(p.sum, problem, row, column);
  if (row >= p.sum.m || column >= p.sum.n) return lines;
  const RankInputs inputs = rank_inputs(p.sum, problem);
  const Problem norm = norm_problem(p, problem, RankSums(p.sum.contract, *p.sum.x, inputs), 0);
  for (std::string& line : find_op(p.norm_case.op).bind(p.norm_case)->trace(norm, row, column)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

Op fused_op(std::string name, std::vector<RoleSpec> outputs, std::vector<ParameterSpec> parameters,
            std::vector<std::string> columns) {
  CallbackOp op;
  op.name = std::move(name);
  op.roles = {{"x", Access::kIn, "[m, n] of each rank: its numbers, dense"},
              {"residual", Access::kInOut,
               "[m, n] of each rank, the same on all: added to the sum over ranks, and then overwritten by that"},
              {"gamma", Access::kIn, "[n] of each rank: the weight of each column"}};
  op.roles.insert(op.roles.end(), outputs.begin(), outputs.end());
  op.parameters = std::move(parameters);
  op.takes = [norm = norm_op_of(op.name)](const std::string& contract) {
    const ContractRow* row = rulebook().contracts.lookup(contract);
    return row != nullptr && row->flow->kind == FlowKind::kRankNorm && find_op(norm).takes(read_rank_norm(*row).then);
  };
  op.columns = std::move(columns);
  op.optional_columns = {"before"};
  op.validate = validate;
  op.problem = [](const Case& c) { return fused_problem(read_fused_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>* outputs) {
    const FusedCase p = read_fused_case(c);
    return expect_fused(p, made, outputs, p.sum.contract);
  };
  op.neighbours = [](const Case& c) { return fused_hypotheses(read_fused_case(c)); };
  op.excerpt = [](Case c) {
    const int64_t rows = std::max<int64_t>(1, kExcerptElements / c.integer("n"));
    c.parameters["m"] = std::to_string(std::min(c.integer("m"), rows));
    return c;
  };
  op.formulas = [](const Case& c) {
    const FusedCase p = read_fused_case(c);
    std::vector<std::string> lines = rank_lines(p.sum.contract, *p.sum.x);
    lines.back() = "x     = what is y there, on every rank";
    for (std::string& line : find_op(p.norm_case.op).bind(p.norm_case)->formulas()) lines.push_back(std::move(line));
    return lines;
  };
  op.trace = trace;
  return bindable(std::move(op));
}

}  // namespace assay
