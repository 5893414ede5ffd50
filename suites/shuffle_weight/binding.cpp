#include <fmt/format.h>

#include <algorithm>

#include "harness/core/callback_op.h"
#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/formats/catalogue.h"
#include "suites/ops.h"
#include "suites/rows/cells.h"
#include "suites/rows/roles.h"
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

  std::vector<int64_t> shape() const { return {extents.experts, extents.n, extents.k}; }
};

ShuffleCase read_shuffle_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow->kind != FlowKind::kShuffle)
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op takes the order of a weight");
  ShuffleCase p{read_shuffle(row), row.id, find_format(cells.text("x")), {}, {}};
  if (!p.x || !p.move.moves(*p.x)) cells.refuse("x", "'" + cells.text("x") + "' is no format of " + row.id + ": " + row.text("x"));
  p.extents = {cells.positive("experts"), cells.positive("n"), cells.positive("k"), p.x->bytes()};
  if (!p.move.shuffle.fits(p.extents.n, p.extents.k))
    cells.refuse("n", fmt::format("{} has tiles of {} rows and {} columns, which n and k are multiples of", row.id, p.move.shuffle.rows,
                                  2 * p.move.shuffle.products));
  p.fill = cells.fill_name("fill");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

Case validate(Case c) {
  const ShuffleCase p = read_shuffle_case(c);
  c.set_name({c.op, p.id, fmt::format("{}.e{}.n{}.k{}", p.x->name, p.extents.experts, p.extents.n, p.extents.k),
              fmt::format("{}.s{}", p.fill, p.seed), p.warp});
  return c;
}

Problem problem(const Case& c) {
  const ShuffleCase p = read_shuffle_case(c);
  HostTensor x{dense("x", Role::kInput, *p.x, p.shape()), {}};
  fill(x, {.name = p.fill, .seed = p.seed, .q = p.x});
  return {{std::move(x), {dense("y", Role::kOutput, *p.x, p.shape()), {}}}, {{"warp", double(p.warp)}}};
}

/// Bytes of the result, for which every code is another: a row for each row of the weight.
Expectation expect_moved(const ShuffleCase& p, const std::vector<int64_t>& sources, const Problem& made) {
  const HostTensor& x = find(made.tensors, "x");
  const auto bytes = size_t(p.extents.bytes);
  WholePart y{{"y", &kUint8, {p.extents.experts * p.extents.n, p.extents.k * p.extents.bytes}, "moved, nothing is rounded: one code"}, {}, {}};
  y.low.reserve(sources.size() * bytes);
  for (const int64_t source : sources)
    for (size_t i = 0; i < bytes; ++i) y.low.push_back(ordinal(kUint8, uint32_t(x.bytes[size_t(source) * bytes + i])));
  return expectation_of({std::move(y)});
}

std::vector<Hypothesis> hypotheses(const ShuffleCase& p) {
  std::vector<Hypothesis> all;
  for (ShuffleNeighbour& wrong : shuffle_neighbours(p.move, p.extents))
    all.push_back({wrong.name,
                   [p, sources = std::move(wrong.sources)](const Problem& made, const std::vector<HostTensor>*) {
                     return expect_moved(p, sources, made);
                   },
                   rulebook().equivalent(p.id, *p.x, wrong.name)});
  return all;
}

Shrinking shrink(const Case& c, const std::map<std::string, int64_t>&) {
  const ShuffleCase p = read_shuffle_case(c);
  const auto axis = [](const char* column, int64_t size, int64_t unit) {
    return ShrinkAxis{size / unit, [=](int64_t units) { return std::map<std::string, std::string>{{column, std::to_string(units * unit)}}; }};
  };
  return {{axis("n", p.extents.n, p.move.shuffle.rows), axis("k", p.extents.k, 2 * p.move.shuffle.products), axis("experts", p.extents.experts, 1)},
          {},
          p.extents.elements()};
}

std::vector<std::string> trace(const Case& c, const Problem& made, int64_t row, int64_t column) {
  const ShuffleCase p = read_shuffle_case(c);
  const int64_t k = p.extents.k, place = row * k + column / p.extents.bytes;
  if (row >= p.extents.experts * p.extents.n || column >= k * p.extents.bytes) return {"y has no such element"};
  const int64_t source = sources_of(p.move, p.extents)[size_t(place)], of_expert = p.extents.n * k;
  return {fmt::format("y, expert {}: element {} of its memory is x[{}, {}]: 0x{:0{}x}", place / of_expert, place % of_expert,
                      source % of_expert / k, source % k, find(made.tensors, "x").code(source), p.x->bits / 4)};
}

}  // namespace

Op shuffle_weight_op() {
  CallbackOp op;
  op.name = "shuffle_weight";
  op.roles = {{"x", Access::kIn, "[experts, n, k]: a weight, row-major and dense, or one that was shuffled"},
              {"y", Access::kOut, "the same elements in the other order; the same shape"}};
  op.parameters = {roles::kWarp};
  op.takes = [](const std::string& contract) { return rulebook().is_row(contract, FlowKind::kShuffle); };
  op.columns = {"contract", "x", "experts", "n", "k", "fill", "seed", "warp"};
  op.validate = validate;
  op.problem = problem;
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const ShuffleCase p = read_shuffle_case(c);
    return expect_moved(p, sources_of(p.move, p.extents), made);
  };
  op.neighbours = [](const Case& c) { return hypotheses(read_shuffle_case(c)); };
  op.excerpt = [](Case c) { return c; };
  op.formulas = [](const Case& c) { return shuffle_lines(read_shuffle_case(c).move); };
  op.shrink = shrink;
  op.trace = trace;
  return bindable(std::move(op));
}

}  // namespace assay
