#include <fmt/format.h>

#include <algorithm>

#include "harness/core/callback_op.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/words.h"
#include "suites/all_reduce/expect.h"
#include "suites/all_reduce/words.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Elements that power is computed on; fewer where every tree of additions is looked at.
constexpr int64_t kExcerptElements = 1 << 12, kExcerptOfTrees = 1 << 6;

Case validate(Case c) {
  const RankCase p = read_rank_case(c);
  const std::string shift = p.shift > 0 ? fmt::format(".shift{}", p.shift) : "",
                    before = p.before > 0 ? fmt::format(".after{}", p.before) : "", use = p.use.empty() ? "" : "." + p.use;
  c.set_name({c.op, p.id(), fmt::format("{}.r{}.m{}.n{}{}{}{}", p.x->name, p.ranks, p.m, p.n, shift, before, use),
              fmt::format("{}.s{}", p.fill, p.seed), p.warp});
  return c;
}

Case excerpt(Case c) {
  const RankCase p = read_rank_case(c);
  const int64_t most = p.contract.order == RankOrder::kAnyTree && p.ranks > 4 ? kExcerptOfTrees : kExcerptElements;
  c.parameters["m"] = std::to_string(std::min(p.m, std::max<int64_t>(1, most / p.n)));
  if (p.n > 2 * most) c.parameters["n"] = std::to_string(most + p.n % most);  // one long row: its end has as many odd elements
  return c;
}

Shrinking shrink(const Case& c, const std::map<std::string, int64_t>&) {
  const RankCase p = read_rank_case(c);
  const int64_t unit = p.m > 0 && p.contract.bytes > 1 ? std::max<int64_t>(1, p.contract.bytes / p.x->bytes()) : 1;
  const auto cells = [](const char* column, int64_t each) {
    return [column, each](int64_t units) { return std::map<std::string, std::string>{{column, std::to_string(units * each)}}; };
  };
  Shrinking shrinking{{}, {}, std::max<int64_t>(1, p.elements())};
  if (p.m > 1 && p.n % unit == 0) shrinking.axes.push_back({p.m, cells("m", 1)});
  if (p.n > unit && p.n % unit == 0) shrinking.axes.push_back({p.n / unit, cells("n", unit)});
  return shrinking;
}

}  // namespace

Op all_reduce_op() {
  CallbackOp op;
  op.name = "all_reduce";
  op.roles = {{"x", Access::kIn, "[m, n] of each rank: its numbers, dense"},
              {"y", Access::kOut,
               "[m, n] of each rank: the sums over all ranks, in the format of x; of cases in place at the address of x"}};
  op.parameters = {
      roles::kWarp,
      {"counter",
       "what the group's own counts of calls and barriers stand at before its first call, so that they wrap; a "
       "library that has none, or cannot set them, ignores it"},
      {"straggler",
       "a rank that is late in every phase of the calls, as a debugging hook of the library; one that has none ignores it"},
      {"in_a_row",
       "1: nobody waits between the calls of the case, which run_group_in_a_row() gets at once; a kernel ignores it"}};
  op.takes = [](const std::string& contract) { return rulebook().is_row(contract, FlowKind::kRankReduce); };
  op.columns = {"contract", "ranks", "x", "m", "n", "fill", "shift", "before", "use", "seed", "warp"};
  op.optional_columns = {"shift", "before", "use"};
  op.validate = validate;
  op.problem = [](const Case& c) { return rank_problem(read_rank_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const RankCase p = read_rank_case(c);
    return expect_ranks(p, p.contract, made);
  };
  op.neighbours = [](const Case& c) { return rank_hypotheses(read_rank_case(c)); };
  op.excerpt = excerpt;
  op.formulas = [](const Case& c) {
    const RankCase p = read_rank_case(c);
    return rank_lines(p.contract, *p.x);
  };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_ranks(read_rank_case(c), made, row, column);
  };
  op.remarks = [](const Case& c, const Problem& made, const std::vector<HostTensor>& outputs) {
    return rank_remarks(read_rank_case(c), made, outputs);
  };
  op.situation = [](const Case& c, const Problem& made, const std::vector<HostTensor>& outputs) {
    return rank_situation(read_rank_case(c), made, outputs);
  };
  op.shrink = shrink;
  return bindable(std::move(op));
}

}  // namespace assay
