#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/text/messages.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/formats/round.h"
#include "reference/recipe/eval.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::string value_text(Span v) {
  return v.pinned() ? fmt::format("{:.9g}", v.low) : fmt::format("{:.9g} to {:.9g}", v.low, v.high);
}

/// Which rank adds up which elements (its segments). If the contract names no owners, packets of 16 bytes are assumed.
std::vector<RankSegment> segments_of(const RankCase& c) {
  RankOwners owners = c.contract.owners;
  if (owners.of_bytes == 0 && owners.stripe == 0) owners.of_bytes = kUsualPacket;
  return rank_segments(owners, *c.x, c.elements(), c.ranks);
}

int owner_of(const RankCase& c, int64_t element) {
  for (const RankSegment& segment : segments_of(c))
    if (element < segment.end) return segment.owner;
  return 0;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b)); }

bool within(Span accepted, double value) {
  if (accepted.any()) return true;
  if (accepted.pinned()) return same(accepted.low, value);
  return accepted.low <= value && value <= accepted.high;
}

/// An output element with a code that the contract does not accept.
struct WrongElement {
  int rank;
  int64_t element;
  double value;
};

std::vector<WrongElement> wrong_elements(const RankCase& c, const RankInputs& inputs, const std::vector<HostTensor>& outputs) {
  const RankSums sums(c.contract, *c.x, inputs);
  const std::vector<Spans> right = sums.results_of_ranks(0, c.elements());
  std::vector<WrongElement> wrong;
  for (int rank = 0; rank < c.ranks; ++rank) {
    const std::vector<double> y = values_of_rank(outputs, "y", rank);
    for (size_t i = 0; i < y.size(); ++i)
      if (!within(right[size_t(rank)][i], y[i])) wrong.push_back({rank, int64_t(i), y[i]});
  }
  return wrong;
}

/// Whether the element is a sum to which some ranks contributed `others` instead of x. `others` holds inputs of another call, or
/// results that were already written in place. Tries all subsets of ranks; returns false for more than 8 ranks.
bool of_two_kinds(const RankCase& c, const RankNumbers& x, const RankNumbers& others, const WrongElement& one) {
  constexpr int kMostRanksInSets = 8;
  if (c.ranks > kMostRanksInSets) return false;
  for (unsigned which = 1; which < 1u << c.ranks; ++which) {
    RankInputs mixed;
    for (int rank = 0; rank < c.ranks; ++rank)
      mixed.x.push_back({(which >> rank & 1 ? others : x)[size_t(rank)][size_t(one.element)]});
    RankReduce contract = c.contract;
    if (contract.has_owners() && !contract.owners.any) {  // the order depends on the owner of the element: rotate the ranks
      std::rotate(mixed.x.begin(),
                  mixed.x.begin() + (owner_of(c, one.element) + (contract.order == RankOrder::kBehindOwner ? 1 : 0)) % c.ranks,
                  mixed.x.end());
      contract.order = RankOrder::kAbsolute;
      contract.owners = {};
    }
    if (within(RankSums(contract, *c.x, mixed).results(0, 0, 1)[0], one.value)) return true;
  }
  return false;
}

/// Whether wrong elements hold enough different numbers other than 0 that no small set of sums contains them by chance.
bool hold_several_numbers(const std::vector<WrongElement>& wrong, size_t fewest) {
  std::set<double> numbers;
  for (const WrongElement& one : wrong)
    if (one.value != 0 && numbers.size() < fewest) numbers.insert(one.value);
  return numbers.size() >= fewest;
}

/// Whether the value can be the result of a warm-up call: a sum of one value of kFillBefore from each rank.
bool may_be_of_calls_before(double value, int ranks) { return value == std::trunc(value) && std::fabs(value) <= 15 * ranks; }

std::string number_of(size_t count, const char* what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); }

}  // namespace

std::vector<std::string> trace_ranks(const RankCase& c, const Problem& problem, int64_t row, int64_t column) {
  if (row >= c.m || column >= c.n) return {fmt::format("y has {} rows and {} columns", c.m, c.n)};
  const int64_t element = row * c.n + column;
  const int owner = owner_of(c, element);
  std::vector<std::string> lines = {fmt::format("y[{}, {}] by {}", row, column, c.id())};
  if (c.contract.has_owners() && !c.contract.owners.any) lines.push_back(fmt::format("owner: rank {}", owner));
  const RankInputs inputs = rank_inputs(c, problem);
  const int first = c.contract.order == RankOrder::kFromOwner     ? owner
                    : c.contract.order == RankOrder::kBehindOwner ? owner + 1
                                                                  : 0;
  const bool one_chain =
      c.contract.order != RankOrder::kAnyTree && c.contract.order != RankOrder::kChunks && !c.contract.owners.any;
  Spans sum(std::vector<double>{0.0});
  for (int i = 0; i < c.ranks; ++i) {
    const int rank = (first + i) % c.ranks;
    const double x = inputs.x[size_t(rank)][size_t(element)];
    Spans v(std::vector<double>{x});
    evaluate(rank_recipe(c.contract.wire, *c.x), v, {});
    if (i == 0 && !c.contract.from_zero) {
      sum = v;
    } else {
      Environment environment;
      environment.set("v", v);
      evaluate(rank_recipe(c.contract.add, *c.x), sum, environment);
    }
    std::string line = fmt::format("rank {}: {:.9g} (0x{:0{}x})", rank, x, code_of(*c.x, x), c.x->bits / 4);
    if (one_chain) line += "   sum " + value_text(sum[0]);
    lines.push_back(line);
  }
  lines.push_back("y = " + value_text(RankSums(c.contract, *c.x, inputs).results(0, element, 1)[0]));
  return lines;
}

std::vector<std::string> rank_remarks(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const std::vector<WrongElement> wrong = wrong_elements(c, rank_inputs(c, problem), outputs);
  if (wrong.empty()) return {};
  std::map<int, size_t> by_rank, by_owner;
  for (const WrongElement& one : wrong) ++by_rank[one.rank], ++by_owner[owner_of(c, one.element)];
  const auto listed = [](const std::map<int, size_t>& counts) {
    std::string text;
    for (const auto& [rank, count] : counts) text += fmt::format("{}{} on rank {}", text.empty() ? "" : ", ", count, rank);
    return text;
  };
  std::string right;
  for (int rank = 0; rank < c.ranks; ++rank)
    if (!by_rank.contains(rank)) right += fmt::format("{}{}", right.empty() ? "; none on rank " : ", ", rank);
  std::vector<std::string> notes = {"wrong elements: " + listed(by_rank) + right};
  const auto in_own_part = [&](const WrongElement& one) { return owner_of(c, one.element) == one.rank; };
  if (segments_of(c).size() > 1 && std::all_of(wrong.begin(), wrong.end(), in_own_part))
    notes.push_back("on each rank, only those elements are wrong whose sum this rank computes for all ranks");
  std::string owners;
  for (const auto& [owner, count] : by_owner)
    owners += fmt::format("{}{} in the part of rank {}", owners.empty() ? "" : ", ", count, owner);
  const size_t parts = segments_of(c).size();
  const bool by_parts = c.contract.has_owners() || by_owner.size() < parts;  // otherwise no rank owns a part, and every part has
                                                                             // errors: the parts tell nothing
  if (parts > 1 && by_parts) notes.push_back("wrong elements in each rank's part of y: " + owners);
  return notes;
}

std::string rank_situation(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  constexpr size_t kMostLookedAt = 4096;
  const RankInputs inputs = rank_inputs(c, problem);
  std::vector<WrongElement> wrong = wrong_elements(c, inputs, outputs);
  if (wrong.empty()) return "";
  const std::string all =
      wrong.size() == 1 ? "the wrong element" : fmt::format("all {}", number_of(wrong.size(), "wrong element"));
  const auto every = [&](auto is) { return std::all_of(wrong.begin(), wrong.end(), is); };
  if (every([](const WrongElement& one) { return std::isnan(one.value); }))
    return all + ": NaN, as in memory that was never written";
  constexpr size_t kFewestOfSets = 4;  // of sums with inputs from any subset of ranks, or of other positions
  const bool tells_of_sets = hold_several_numbers(wrong, kFewestOfSets);
  if (!hold_several_numbers(wrong, 1)) return "";
  if (every([&](const WrongElement& one) { return same(one.value, inputs.x[size_t(one.rank)][size_t(one.element)]); }))
    return all + ": the rank's own elements of x";
  if (c.use == RankUse::kInPlace) {
    RankNumbers results;
    for (int rank = 0; rank < c.ranks; ++rank) results.push_back(values_of_rank(outputs, "y", rank));
    wrong.resize(std::min(wrong.size(), kMostLookedAt));
    // A result to which a number of x adds nothing, such as a huge one, would explain itself.
    const auto is_sum = [&](const WrongElement& one) {
      double largest = 0;
      for (const auto& x : inputs.x) largest = std::max(largest, std::fabs(x[size_t(one.element)]));
      return std::fabs(one.value) < largest * c.ranks * c.ranks && of_two_kinds(c, inputs.x, results, one);
    };
    if (tells_of_sets && every(is_sum))
      return all + ": sums that use results of some ranks as inputs: these ranks wrote y in place while their peers read x";
  }
  if (inputs.before.empty()) return "";
  if (c.use == RankUse::kInARow) {
    std::vector<WrongElement> some = wrong;
    some.resize(std::min(some.size(), kMostLookedAt));
    if (tells_of_sets && std::all_of(some.begin(), some.end(),
                                     [&](const WrongElement& one) { return of_two_kinds(c, inputs.x, inputs.before, one); }))
      return all + ": sums that use some ranks' inputs of the following call: a rank began its next call while others still read";
  }
  RankInputs earlier;
  earlier.x = inputs.before;
  const Spans results = RankSums(c.contract, *c.x, earlier).results(0, 0, c.elements());
  if (every([&](const WrongElement& one) { return within(results[size_t(one.element)], one.value); }))
    return all + ": results of the previous call";
  if (wrong.size() > kMostLookedAt) wrong.resize(kMostLookedAt);
  if (tells_of_sets && every([&](const WrongElement& one) { return of_two_kinds(c, inputs.x, inputs.before, one); }))
    return all + ": sums that use inputs of the call before for some ranks";
  if (tells_of_sets && c.fill != kFillBefore &&
      every([&](const WrongElement& one) { return may_be_of_calls_before(one.value, c.ranks); }))
    return all + ": sums of inputs of earlier calls, in other positions";
  return "";
}
namespace {

/// Largest subsample for mutants, in elements. kExcerptOfTrees is for contracts that allow all orders of additions: their
/// reference is slow.
constexpr int64_t kExcerptElements = 1 << 12, kExcerptOfTrees = 1 << 6;

CaseName name_of(const Case& c, const RankCase& p) {
  const std::string shift = p.shift > 0 ? fmt::format(".shift{}", p.shift) : "",
                    before = p.before > 0 ? fmt::format(".after{}", p.before) : "",
                    use = p.use == RankUse::kPlain ? "" : fmt::format(".{}", name(p.use));
  return {c.op, p.id(), fmt::format("{}.r{}.m{}.n{}{}{}{}", p.x->name, p.ranks, p.m, p.n, shift, before, use),
          p.fill.empty() ? "" : fmt::format("{}.s{}", p.fill, p.seed), p.warp};
}

/// The case of a dump: x and y of each rank, all of one shape and format. Warm-up calls are unknown.
DumpCase case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  int ranks = 1;
  for (const auto& [key, tensor] : request.roles)
    if (key.starts_with("x@")) ++ranks;
  for (int rank = 1; rank < ranks; ++rank) (void)dumped_role(request.roles, key_of("x", rank).c_str());
  if (ranks == 1) throw UsageError(x.place() + ": expected an x of each rank, got one x; try one file for each rank");
  std::map<std::string, std::string> cells = {{"contract", request.contract}, {"ranks", std::to_string(ranks)},
                                              {"x", std::string(x.tensor.spec.format->name)},
                                              {"m", std::to_string(shape[0])}, {"n", std::to_string(shape[1])}};
  for (const auto& [name, value] : request.parameters) cells[name] = value;
  return case_of_cells(op, request, x, cells);
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
  if (c_.n > 2 * most) few.n = most + c_.n % most;  // one long row: keep as many elements after the last multiple of `most`
  return few.m == c_.m && few.n == c_.n ? nullptr : std::make_unique<const BoundRanks>(std::move(few), name_);
}

/// For contracts with order one_tree: a middle row alone, and all rows more than twice, must have the same sums as in the case.
/// Cases with warm-up calls or another use of the group are left out.
std::vector<Relation> BoundRanks::relations(const Problem& problem) const {
  if (!c_.contract.keeps_tree || c_.m == 0 || c_.before > 0 || c_.use != RankUse::kPlain) return {};
  std::vector<int64_t> repeated(size_t(2 * c_.m + 3));
  for (size_t i = 0; i < repeated.size(); ++i) repeated[i] = int64_t(i) % c_.m;
  std::vector<Relation> all;
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{c_.m / 2}, repeated}) {
    RankCase other = c_;
    other.m = int64_t(rows.size());
    Relation& relation = all.emplace_back(
        Relation{"order", fmt::format("{} rows instead of {}", rows.size(), c_.m), rank_problem(other), "y", {}});
    for (int64_t i = 0; i < other.elements(); ++i) relation.same_as.push_back(rows[size_t(i / c_.n)] * c_.n + i % c_.n);
    for (size_t t = 0; t < problem.tensors.size(); ++t) {
      const HostTensor& from = problem.tensors[t];
      HostTensor& to = relation.problem.tensors[t];
      if (to.spec.role != Role::kInput) continue;
      for (int64_t i = 0; i < other.elements(); ++i)
        to.set_code(to.spec.place(i), from.code(from.spec.place(relation.same_as[size_t(i)])));
    }
  }
  return all;
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
                 "[m, n] of each rank: the all-reduced x, in the format of x; an in-place case gives y the address of x", true}},
      .parameters =
          {roles::kWarp,
           {"counter",
            "initial value of the group's call and barrier counters, chosen so that they wrap around; a library "
            "without such counters ignores it"},
           {"straggler",
            "rank that is delayed in every phase; a library that cannot delay a rank ignores it"},
           {"in_a_row",
            "1: run_group_in_a_row() makes the calls of the case without waiting between them; kernels ignore this"}},
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
