#include "suites/all_reduce/rank_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_expectation.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Warm-up calls have the case's seed plus this number. All of them have the same inputs, so a stale value looks the same,
/// whichever warm-up call it comes from.
constexpr uint64_t kSeedBefore = 1000;

/// Initial value of the counters of calls and barriers if `use` is `wrapping`: 2^32 - 4, so that they become 0 after four calls.
constexpr double kNearlyAll = 4294967292.0;

constexpr std::pair<RankUse, const char*> kUses[] = {{RankUse::kAlternating, "alternating"},
                                                    {RankUse::kWrapping, "wrapping"},
                                                    {RankUse::kInPlace, "in_place"},
                                                    {RankUse::kStraggler, "straggler"},
                                                    {RankUse::kInARow, "in_a_row"}};

RankUse use_of(const Cells& cells, int64_t before) {
  if (!cells.has("use") || cells.text("use").empty()) return RankUse::kPlain;
  const std::string& cell = cells.text("use");
  const auto found = std::find_if(std::begin(kUses), std::end(kUses), [&](const auto& use) { return cell == use.second; });
  if (found == std::end(kUses))
    cells.refuse("use", "'" + cell + "' is not one of: alternating, wrapping, in_place, straggler, in_a_row");
  const RankUse use = found->first;
  if (use == RankUse::kAlternating && before < 2)
    cells.refuse("before", "use=alternating needs at least 2 earlier calls, one of each size");
  if (use == RankUse::kInARow && before < 1)
    cells.refuse("before", "use=in_a_row needs at least 1 earlier call");
  if (use == RankUse::kWrapping && before < 1) cells.refuse("before", "use=wrapping needs at least 1 earlier call");
  return use;
}

RankReduce contract_of(const Cells& cells, const ContractRow& row) {
  if (row.flow != &rank_reduce_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected an all-reduce");
  return read_rank_reduce(row);
}

int64_t from_zero(const Cells& cells, const std::string& column) {
  const double value = cells.number(column);
  const auto whole = int64_t(value);
  if (double(whole) != value) cells.refuse(column, "'" + cells.text(column) + "' is not a whole number");
  return whole;
}

int64_t or_zero(const Cells& cells, const std::string& column) {
  return cells.given(column) ? from_zero(cells, column) : 0;
}

const Format& numbers_of(const Cells& cells, const RankReduce& contract) {
  return cells.format_taken("x", *contract.row, "numbers", [&](const Format& x) { return contract.takes(x); });
}

Problem problem_with(const RankCase& c, const std::string& name, uint64_t seed) {
  Problem made;
  made.ranks = c.ranks;
  for (int rank = 0; rank < c.ranks; ++rank) {
    HostTensor x{dense("x", Role::kInput, *c.x, {c.m, c.n}), {}}, y{dense("y", Role::kOutput, *c.x, {c.m, c.n}), {}};
    fill(x, {.name = name, .seed = seed, .tensor = uint32_t(rank), .rank = rank, .ranks = c.ranks});
    for (HostTensor* tensor : {&x, &y}) {
      *tensor = shifted(std::move(*tensor), c.shift);
      if (tensor == &y && c.use == RankUse::kInPlace) y.spec.shares = "x", y.bytes = made.tensors.back().bytes;
      tensor->spec.rank = rank;
      made.tensors.push_back(std::move(*tensor));
    }
  }
  made.parameters = {{"warp", double(c.warp)}};
  if (c.use == RankUse::kWrapping) made.parameters.emplace_back("counter", kNearlyAll);
  if (c.use == RankUse::kStraggler) made.parameters.emplace_back("straggler", double(c.ranks - 2));
  if (c.use == RankUse::kInARow) made.parameters.emplace_back("in_a_row", 1);
  return made;
}

}  // namespace

const char* name(RankUse use) {
  for (const auto& [known, cell] : kUses)
    if (known == use) return cell;
  return "";
}

RankCase read_rank_case(const Case& c) {
  const Cells cells(c);
  return read_rank_case(cells, cells.contract());
}

RankCase read_rank_case(const Cells& cells, const ContractRow& contract) {
  RankCase p;
  p.contract = contract_of(cells, contract);
  p.ranks = int(cells.positive("ranks"));
  if (!p.contract.takes(p.ranks))
    cells.refuse("ranks", "contract " + p.id() + " does not support " + cells.text("ranks") +
                              " ranks; supported: " + p.contract.row->text("ranks"));
  p.m = from_zero(cells, "m");
  p.n = cells.positive("n");
  p.x = &numbers_of(cells, p.contract);
  if (p.elements() * p.x->bytes() % p.contract.bytes != 0)
    cells.refuse("n", "expected m * n elements that occupy a multiple of " + std::to_string(p.contract.bytes) + " bytes, which " + p.id() + " requires");
  const RankCodec& codec = p.contract.codec;
  if (codec.keeps_sums() && p.contract.owners.of_bytes > 0 && p.elements() % (codec.group * p.ranks) != 0)
    cells.refuse("n", "expected m * n to be a multiple of " + std::to_string(codec.group * p.ranks) + ": " + p.id() +
                          " encodes whole groups of " + std::to_string(codec.group) + " elements on each rank");
  p.fill = cells.fill_name("fill");
  p.shift = or_zero(cells, "shift");
  if (p.shift > 0 && p.contract.bytes > p.x->bytes())
    cells.refuse("shift", "expected 0: " + p.id() + " requires tensors aligned to " + std::to_string(p.contract.bytes) + " bytes");
  p.before = or_zero(cells, "before");
  p.use = use_of(cells, p.before);
  p.seed = cells.seed();
  p.warp = cells.warp();
  return p;
}

Problem rank_problem(const RankCase& c) {
  Problem made = problem_with(c, c.fill, c.seed);
  if (c.before > 0) made.before.assign(size_t(c.before), problem_with(c, kFillBefore, kSeedBefore + c.seed));
  RankCase longer = c;
  longer.m *= 2;
  for (int64_t i = c.before - 1; i >= 0 && c.use == RankUse::kAlternating; i -= 2)
    made.before[size_t(i)] = problem_with(longer, kFillBefore, kSeedBefore + c.seed);
  return made;
}

std::vector<double> values_of_rank(const std::vector<HostTensor>& tensors, const std::string& role, int rank) {
  Part part{.tensor = role, .format = nullptr, .shape = {}};
  part.rank = rank;
  const HostTensor& tensor = tensor_of(tensors, part);
  std::vector<double> values(size_t(tensor.spec.elements()));
  decode_all(*tensor.spec.format, tensor.bytes.data() + tensor.spec.byte_of(tensor.spec.offset), values);
  return values;
}

RankInputs rank_inputs(const RankCase& c, const Problem& problem) {
  RankInputs inputs;
  for (int rank = 0; rank < c.ranks; ++rank) {
    inputs.x.push_back(values_of_rank(problem.tensors, "x", rank));
    const size_t as_long = c.use == RankUse::kAlternating ? 2 : 1;  // the last call of the same size was this many calls ago
    if (!problem.before.empty())
      inputs.before.push_back(values_of_rank(problem.before[problem.before.size() - as_long].tensors, "x", rank));
  }
  return inputs;
}
namespace {

/// The output y of each rank.
std::vector<Part> parts_of(const RankCase& c, const std::string& justification) {
  std::vector<Part> parts;
  for (int rank = 0; rank < c.ranks; ++rank) {
    Part& y = parts.emplace_back(Part{"y", c.x, {c.m, c.n}, justification, "rank " + std::to_string(rank)});
    y.rank = rank;
    if (c.shift == 0) continue;
    y.places = Places::of_rows([shift = c.shift, n = c.n](int64_t row) { return shift + row * n; });
    y.padding = [shift = c.shift](const std::function<void(const Padding&)>& visit) {
      for (int64_t i = 0; i < shift; ++i) visit({i, {0, i - shift}, PaddingRule::kUntouched});
    };
  }
  return parts;
}

/// Computes the accepted codes of all ranks, for given inputs and a contract or a mutant of it.
class AcceptedSums {
 public:
  AcceptedSums(const RankCase& c, const RankReduce& contract, std::shared_ptr<const RankInputs> inputs)
      : inputs_(std::move(inputs)), sums_(contract, *c.x, *inputs_), x_(*c.x), n_(c.n), ranks_(size_t(c.ranks)) {}

  AcceptedBlock rows(int64_t first, int64_t end) const {
    const int64_t from = first * n_, count = (end - first) * n_;
    if (sums_.same_for_all()) return {std::vector<AcceptedRows>(ranks_, accepted_rows(sums_.results(0, from, count), x_, first, end))};
    AcceptedBlock block;
    for (const Spans& values : sums_.results_of_ranks(from, count)) block.parts.push_back(accepted_rows(values, x_, first, end));
    return block;
  }
  /// The accepted codes of the first 64 elements of rank 0: a fast first check.
  AcceptedBlock glimpse() const {
    constexpr int64_t kFew = 64;
    AcceptedBlock block{std::vector<AcceptedRows>(ranks_)};
    block.parts.front() = accepted_rows(sums_.results(0, 0, std::min(n_, kFew)), x_, 0, 1);
    return block;
  }

 private:
  const std::shared_ptr<const RankInputs> inputs_;
  const RankSums sums_;
  const Format& x_;
  const int64_t n_;
  const size_t ranks_;
};

std::string freedom(const RankReduce& contract) {
  if (contract.keeps_tree) return "the sums of all orders of additions are accepted; the order must be the same for every number of rows";
  if (contract.order == RankOrder::kAnyTree) return "the sums of all orders of additions are accepted";
  if (contract.owners.any) return "the sum may start at any rank";
  if (contract.codec.keeps_sums() && contract.codec.of_numbers)
    return "a division inside the kernel may be off by 2 ulp, so some elements accept several codes";
  return "every rounding and the order are pinned: one code";
}

/// Accepts the sums of `inputs` under `contract`, and requires that all ranks return the same bits.
Expectation of_inputs(const RankCase& c, const RankReduce& contract, std::shared_ptr<const RankInputs> inputs) {
  // If the owner of a sum returns it unencoded, its result differs from those of the other ranks.
  std::vector<RankSegment> apart;
  if (c.contract.codec.keeps_sums()) apart = rank_segments(c.contract.owners, *c.x, c.elements(), c.ranks);
  const auto sums = std::make_shared<const AcceptedSums>(c, contract, std::move(inputs));
  Answer answer;
  answer.steps = c.m;
  answer.parts = parts_of(c, freedom(contract));
  answer.accepted = [sums](int64_t first, int64_t end) { return sums->rows(first, end); };
  answer.glimpse = [sums] { return sums->glimpse(); };
  Expectation expectation{{std::move(answer)}};
  expectation.together = [parts = expectation.any_of.front().parts, apart = std::move(apart)](
                             const std::vector<HostTensor>& outputs) { return rank_differences(parts, 1, outputs, apart); };
  return expectation;
}

/// Where the outputs of two ranks differ. Segments of `apart` that belong to one of the two ranks are not compared.
std::optional<Violation> difference(const Part& base, const HostTensor& right, const Part& other, const HostTensor& tensor,
                                    const std::vector<RankSegment>& apart) {
  struct Difference {
    int64_t row, column;
    uint32_t was, is;
  };
  std::vector<Difference> all;
  size_t segment = 0;
  for (int64_t i = 0; i < base.elements(); ++i) {
    while (segment < apart.size() && apart[segment].end <= i) ++segment;
    if (segment < apart.size() && (apart[segment].owner == other.rank || apart[segment].owner == base.rank)) continue;
    const int64_t row = i / base.columns(), column = i % base.columns(), at = base.offset(row, column);
    const Difference one{row, column, load_code(base, right, at), load_code(other, tensor, at)};
    if (one.was != one.is) all.push_back(one);
  }
  if (all.empty()) return std::nullopt;
  constexpr size_t kMostPlaces = 64;
  Violation found{"the same bits on all ranks", "", 0, {}};
  for (size_t i = 0; i < std::min(all.size(), kMostPlaces); ++i)
    found.places.push_back({other.label(), all[i].row, all[i].column});
  const Difference& first = all.front();
  const Format& format = *base.format;
  const int digits = (format.bits + 3) / 4;
  found.words = fmt::format(
      "ranks {0} and {1} return different bits in {2} of {3} elements, first {4}[{5}, {6}]: 0x{7:0{11}x} = {8:.9g} on rank {0}, "
      "0x{9:0{11}x} = "
      "{10:.9g} on rank {1}",
      other.rank, base.rank, all.size(), base.elements(), base.tensor, first.row, first.column, first.is,
      decode(format, first.is), first.was, decode(format, first.was), digits);
  return found;
}

using Decoded = MadeOnce<RankInputs>;

Hypothesis of_neighbour(const RankCase& c, RankNeighbour wrong, const std::shared_ptr<Decoded>& decoded) {
  const std::string name = wrong.name;
  const bool suspect = wrong.suspect;
  Hypothesis made{name,
                  [c, wrong = std::move(wrong), decoded](const Problem& problem, const std::vector<HostTensor>*) {
                    return of_inputs(c, wrong.contract, decoded->of(problem, [&] { return rank_inputs(c, problem); }));
                  },
                  suspect ? "" : rulebook().equivalent(c.id(), *c.x, name)};
  made.suspect = suspect;
  return made;
}

}  // namespace

std::vector<Violation> rank_differences(const std::vector<Part>& parts, size_t of_rank, const std::vector<HostTensor>& outputs,
                                        const std::vector<RankSegment>& apart) {
  std::vector<const HostTensor*> tensors;
  for (const Part& part : parts) tensors.push_back(&tensor_of(outputs, part));
  std::vector<Violation> violations;
  const size_t bases = apart.empty() ? 1 : 2;  // in the segments `apart` that rank 0 owns, compare with rank 1
  for (size_t rank = 0; rank < bases; ++rank)
    for (size_t i = (rank + 1) * of_rank; i < parts.size(); ++i) {
      const size_t base = rank * of_rank + i % of_rank;
      if (auto found = difference(parts[base], *tensors[base], parts[i], *tensors[i], apart))
        violations.push_back(std::move(*found));
    }
  return violations;
}

Expectation expect_ranks(const RankCase& c, const RankReduce& contract, const Problem& problem) {
  return of_inputs(c, contract, std::make_shared<const RankInputs>(rank_inputs(c, problem)));
}

std::vector<Hypothesis> rank_hypotheses(const RankCase& c) {
  std::vector<Hypothesis> all;
  const auto decoded = std::make_shared<Decoded>();
  for (RankNeighbour& wrong : rank_neighbours(c.contract, *c.x, c.ranks, c.elements(), c.before > 0))
    all.push_back(of_neighbour(c, std::move(wrong), decoded));
  return all;
}

}  // namespace assay
