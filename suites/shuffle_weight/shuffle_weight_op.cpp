#include <fmt/format.h>

#include <algorithm>

#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/formats/catalogue.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct ShuffleCase {
  WeightMove move;
  std::string id;
  const Format* x = nullptr;
  ShuffleExtents extents;
  std::string fill;
  uint64_t seed = 0;
  int warp = 0;

  std::vector<int64_t> shape() const { return {extents.experts.count(), extents.n(), extents.k}; }
};

ShuffleCase read_shuffle_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow != &shuffle_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a contract that shuffles a weight");
  ShuffleCase p{read_shuffle(row), row.id, nullptr, {}, {}};
  p.x = &cells.format_taken("x", row, "x", [&](const Format& x) { return p.move.moves(x); });
  p.extents = {Groups::uniform(cells.positive("experts"), cells.from_zero("n")), cells.positive("k"), p.x->bytes()};
  if (!p.move.shuffle.fits(p.extents.n(), p.extents.k))
    cells.refuse("n", fmt::format("expected n to be a multiple of {} and k of {}, the rows and columns of the tiles of {}",
                                  p.move.shuffle.rows, 2 * p.move.shuffle.products, row.id));
  p.fill = cells.fill_name("fill");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

/// Accepts one code for each byte of the result. The result has a row for each row of the weight.
Expectation expect_moved(const ShuffleCase& p, const std::vector<int64_t>& sources, const Problem& made) {
  const HostTensor& x = find(made.tensors, "x");
  const auto bytes = size_t(p.extents.bytes);
  WholePart y{
      {"y", &kUint8, {p.extents.experts.rows(), p.extents.k * p.extents.bytes}, "elements are moved without rounding: one code"}, {}, {}};
  y.low.reserve(sources.size() * bytes);
  for (const int64_t source : sources)
    for (size_t i = 0; i < bytes; ++i) y.low.push_back(ordinal(kUint8, uint32_t(x.bytes[size_t(source) * bytes + i])));
  return expectation_of({std::move(y)});
}

class BoundShuffle : public BoundCase {
 public:
  BoundShuffle(ShuffleCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override {
    HostTensor x{dense("x", Role::kInput, *c_.x, c_.shape()), {}};
    fill(x, {.name = c_.fill, .seed = c_.seed, .q = c_.x});
    return {{std::move(x), {dense("y", Role::kOutput, *c_.x, c_.shape()), {}}}, {{"warp", double(c_.warp)}}};
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    return expect_moved(c_, sources_of(c_.move, c_.extents), problem);
  }
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all;
    if (c_.extents.elements() == 0) return all;
    for (ShuffleNeighbour& wrong : shuffle_neighbours(c_.move, c_.extents))
      all.push_back({wrong.name,
                     [c = c_, sources = std::move(wrong.sources)](const Problem& problem, const std::vector<HostTensor>*) {
                       return expect_moved(c, sources, problem);
                     },
                     rulebook().equivalent(c_.id, *c_.x, wrong.name)});
    return all;
  }
  std::vector<std::string> formulas() const override { return shuffle_lines(c_.move); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    const int64_t k = c_.extents.k, place = row * k + column / c_.extents.bytes;
    if (row >= c_.extents.experts.rows() || column >= k * c_.extents.bytes)
      return {fmt::format("y has {} rows of {} bytes", c_.extents.experts.rows(), k * c_.extents.bytes)};
    const int64_t source = sources_of(c_.move, c_.extents)[size_t(place)], of_expert = c_.extents.n() * k;
    return {fmt::format("y, expert {}: element {} of its memory is x[{}, {}]: 0x{:0{}x}", place / of_expert, place % of_expert,
                        source % of_expert / k, source % k, find(problem.tensors, "x").code(source), c_.x->bits / 4)};
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    const auto axis = [](const char* column, int64_t size, int64_t unit) {
      return ShrinkAxis{size / unit, [=](int64_t units) { return CellChanges{{column, std::to_string(units * unit)}}; }};
    };
    return Shrinking{{axis("n", c_.extents.n(), c_.move.shuffle.rows), axis("k", c_.extents.k, 2 * c_.move.shuffle.products),
                      axis("experts", c_.extents.experts.count(), 1)},
                     {},
                     c_.extents.elements()};
  }

 private:
  const ShuffleCase c_;
  const CaseName name_;
};

std::unique_ptr<const BoundCase> bind_shuffle(const Case& c) {
  ShuffleCase p = read_shuffle_case(c);
  CaseName name = {c.op, p.id, fmt::format("{}.e{}.n{}.k{}", p.x->name, p.extents.experts.count(), p.extents.n(), p.extents.k),
                   fmt::format("{}.s{}", p.fill, p.seed), p.warp};
  return std::make_unique<const BoundShuffle>(std::move(p), std::move(name));
}

}  // namespace

Op shuffle_weight_op() {
  return {.name = "shuffle_weight",
          .roles = {{"x", Access::kIn, "[experts, n, k]: a weight, row-major and dense, or shuffled"},
                    {"y", Access::kOut, "the elements of x in the other order (shuffled or row-major), in the same shape"}},
          .parameters = {roles::kWarp},
          .columns = {"contract", "x", "experts", "n", "k", "fill", "seed", "warp"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, shuffle_flow()); },
          .bind = bind_shuffle};
}

}  // namespace assay
