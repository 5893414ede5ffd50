#include <fmt/format.h>

#include <algorithm>

#include "harness/text/error.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "suites/all_reduce/bound_ranks.h"
#include "suites/all_reduce/expect.h"
#include "suites/all_reduce/words.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Elements of a subsample for mutation analysis; fewer if every addition tree is considered.
constexpr int64_t kExcerptElements = 1 << 12, kExcerptOfTrees = 1 << 6;

CaseName name_of(const Case& c, const RankCase& p) {
  const std::string shift = p.shift > 0 ? fmt::format(".shift{}", p.shift) : "",
                    before = p.before > 0 ? fmt::format(".after{}", p.before) : "",
                    use = p.use == RankUse::kPlain ? "" : fmt::format(".{}", name(p.use));
  return {c.op, p.id(), fmt::format("{}.r{}.m{}.n{}{}{}{}", p.x->name, p.ranks, p.m, p.n, shift, before, use),
          p.fill.empty() ? "" : fmt::format("{}.s{}", p.fill, p.seed), p.warp};
}

/// One x and one y per rank, all with the same shape and format. A dump does not contain the state left by earlier calls.
DumpCase case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  int ranks = 1;
  for (const auto& [key, tensor] : request.roles)
    if (key.starts_with("x@")) ++ranks;
  for (int rank = 1; rank < ranks; ++rank) (void)dumped_role(request.roles, key_of("x", rank).c_str());
  if (ranks == 1) throw UsageError(x.place() + ": expected an x of each rank, got one; try a file for each rank");
  std::map<std::string, std::string> cells = {{"contract", request.contract}, {"ranks", std::to_string(ranks)},
                                              {"x", std::string(x.tensor.spec.format->name)},
                                              {"m", std::to_string(shape[0])}, {"n", std::to_string(shape[1])}};
  for (const auto& [name, value] : request.parameters) cells[name] = value;
  DumpCase dump;
  dump.one.op = op.name;
  dump.one.origin = {x.file, 0};
  dump.one.why = "a dump of yours, judged under " + request.contract;
  dump.one.of_given_data = true;
  for (const std::string& column : op.columns)
    if (const auto cell = cells.find(column); cell != cells.end()) dump.one.parameters.insert(*cell);
  dump.bound = op.bind(dump.one);
  dump.one.set_name(dump.bound->name());
  dump.problem = dump.bound->problem();
  return dump;
}

}  // namespace

Expectation BoundRanks::expect(const Problem& problem, const std::vector<HostTensor>*) const {
  return expect_ranks(c_, c_.contract, problem);
}

std::vector<Hypothesis> BoundRanks::mutants() const { return rank_hypotheses(c_); }

std::unique_ptr<const BoundCase> BoundRanks::excerpt() const {
  const int64_t most = c_.contract.order == RankOrder::kAnyTree && c_.ranks > 4 ? kExcerptOfTrees : kExcerptElements;
  RankCase few = c_;
  few.m = std::min(c_.m, std::max<int64_t>(1, most / c_.n));
  if (c_.n > 2 * most) few.n = most + c_.n % most;  // one long row: keep the same number of odd elements at its end
  return few.m == c_.m && few.n == c_.n ? nullptr : std::make_unique<const BoundRanks>(std::move(few), name_);
}

std::vector<std::string> BoundRanks::formulas() const { return rank_lines(c_.contract, *c_.x); }

std::vector<std::string> BoundRanks::trace(const Problem& problem, int64_t row, int64_t column) const {
  return trace_ranks(c_, problem, row, column);
}

std::vector<std::string> BoundRanks::remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const {
  return rank_remarks(c_, problem, outputs);
}

std::string BoundRanks::situation(const Problem& problem, const std::vector<HostTensor>& outputs) const {
  return rank_situation(c_, problem, outputs);
}

std::optional<Shrinking> BoundRanks::shrinking(const std::map<std::string, int64_t>&) const {
  const int64_t unit = c_.m > 0 && c_.contract.bytes > 1 ? std::max<int64_t>(1, c_.contract.bytes / c_.x->bytes()) : 1;
  const auto cells = [](const char* column, int64_t each) {
    return [column, each](int64_t units) { return CellChanges{{column, std::to_string(units * each)}}; };
  };
  Shrinking shrinking{{}, {}, std::max<int64_t>(1, c_.elements())};
  if (c_.m > 1 && c_.n % unit == 0) shrinking.axes.push_back({c_.m, cells("m", 1)});
  if (c_.n > unit && c_.n % unit == 0) shrinking.axes.push_back({c_.n / unit, cells("n", unit)});
  return shrinking;
}

Op all_reduce_op() {
  return {
      .name = "all_reduce",
      .roles = {{"x", Access::kIn, "[m, n] of each rank: the input, dense", true},
                {"y", Access::kOut,
                 "[m, n] of each rank: the all-reduced x, in the format of x; at the address of x in in-place cases", true}},
      .parameters =
          {roles::kWarp,
           {"counter",
            "what the group's own counts of calls and barriers stand at before its first call, so that they wrap; a "
            "library that has none, or cannot set them, ignores it"},
           {"straggler",
            "rank that is delayed in every phase; a library without such a hook ignores it"},
           {"in_a_row",
            "1: the calls of the case are made without a wait, by run_group_in_a_row(); kernels ignore it"}},
      .columns = {"contract", "ranks", "x", "m", "n", "fill", "shift", "before", "use", "seed", "warp"},
      .optional_columns = {"shift", "before", "use"},
      .takes = [](const std::string& contract) { return rulebook().is_row(contract, rank_reduce_flow()); },
      .bind =
          [](const Case& c) {
            RankCase p = read_rank_case(c);
            CaseName name = name_of(c, p);
            return std::make_unique<const BoundRanks>(std::move(p), std::move(name));
          },
      .case_of_dump = case_of_dump};
}

}  // namespace assay
