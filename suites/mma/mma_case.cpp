#include "suites/mma/mma_case.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "harness/fill/fill.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/units/unit_table.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Random streams of the tensors. Golden data depend on them.
enum Stream : uint32_t { kC, kA, kB, kScaleA, kScaleB };

/// As stored in memory: tf32 as f32, and the scales of NVFP4 in the type that carries their bytes.
const Format& stored(const Format& format) { return format == kTf32 ? kF32 : format == kUe4M3 ? kE4M3Fn : format; }

HostTensor operand(const char* role, const Format& format, std::vector<int64_t> shape, const FillRequest& request) {
  HostTensor tensor{dense(role, Role::kInput, stored(format), std::move(shape)), {}};
  tensor.spec.packed = format.bits == 4;
  fill(tensor, request);
  return tensor;
}

const UnitRow& unit_of(const Cells& cells) {
  try {
    return rulebook().units.find(cells.text("contract"));
  } catch (const std::out_of_range& error) {
    cells.refuse("contract", error.what());
  }
}

}  // namespace

MmaCase read_mma_case(const Case& c) {
  const Cells cells(c);
  MmaCase p;
  p.row = &unit_of(cells);
  if (!p.unit().known()) cells.refuse("contract", "of unit " + p.row->id + " nothing is predicted: " + p.row->text("source"));
  p.tiles = cells.positive("tiles");
  p.m = cells.positive("m");
  p.n = cells.positive("n");
  p.steps = cells.positive("steps");
  p.fill = cells.fill_name("fill");
  p.b = cells.fill_name("b");
  p.c = cells.fill_name("c");
  const bool given = cells.given("scale");
  if (given != (p.unit().scale != nullptr))
    cells.refuse("scale", "unit " + p.row->id + (given ? " has no scales" : " has scales"));
  if (given) p.scale = cells.fill_name("scale");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

Problem mma_problem(const MmaCase& c) {
  const Unit& unit = c.unit();
  const auto request = [&](const std::string& name, Stream stream) {
    return FillRequest{.name = name, .seed = c.seed, .group_size = 0, .q = unit.d, .tensor = stream};
  };
  Problem made;
  std::vector<HostTensor>& tensors = made.tensors;
  tensors.push_back(operand("c", *unit.d, {c.tiles, c.m, c.n}, request(c.c, kC)));
  tensors.push_back(operand("a", *unit.a, {c.tiles, c.m, c.k()}, request(c.fill, kA)));
  tensors.push_back(operand("b", *unit.b, {c.tiles, c.n, c.k()}, request(c.b, kB)));
  if (unit.scale) {
    tensors.push_back(operand("sfa", *unit.scale, {c.tiles, c.m, c.scales()}, request(c.scale, kScaleA)));
    tensors.push_back(operand("sfb", *unit.scale, {c.tiles, c.n, c.scales()}, request(c.scale, kScaleB)));
  }
  tensors.push_back({dense("d", Role::kOutput, *unit.d, {c.tiles, c.m, c.n}), {}});
  made.parameters = {{"warp", double(c.warp)}};
  return made;
}

UnitProduct tile_of(const MmaCase& c, const Problem& problem, int64_t tile) {
  const auto codes = [&](const char* role, int64_t rows, int64_t columns) {
    const HostTensor& tensor = find(problem.tensors, role);
    return tensor.bytes.data() + tensor.spec.byte_of(tile * rows * columns);
  };
  const auto factor = [&](const char* role, const char* scale, const Format& format, int64_t rows) {
    UnitFactor f{codes(role, rows, c.k()), c.k(), format.bits == 4};
    if (c.unit().scale) f.scales = codes(scale, rows, c.scales()), f.scale_pitch = c.scales();
    return f;
  };
  return {factor("a", "sfa", *c.unit().a, c.m), factor("b", "sfb", *c.unit().b, c.n), c.k()};
}
namespace {

/// The tensors of a case with one product of every instruction removed: both of its factors are 0.
std::vector<HostTensor> without_product(const MmaCase& c, const Problem& problem, int dropped) {
  std::vector<HostTensor> tensors = problem.tensors;
  for (const char* role : {"a", "b"}) {
    HostTensor& tensor = find(tensors, role);
    for (int64_t at = dropped; at < tensor.spec.elements(); at += c.unit().k) tensor.set_code(at, 0);
  }
  return tensors;
}

bool is_negative(const Format& format, uint32_t code) { return format.has_sign() && (code >> (format.bits - 1) & 1) != 0; }

/// Rows of one tile.
class TileRows {
 public:
  TileRows(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step)
      : c_(c), unit_(unit), problem_(problem), step_(step) {}

  /// Codes of d in rows [first, first + rows) of a tile.
  std::vector<uint32_t> codes(int64_t tile, int64_t first, int64_t rows) const {
    const HostTensor& addend = find(problem_.tensors, "c");
    std::vector<uint32_t> d(size_t(rows * c_.n));
    for (size_t i = 0; i < d.size(); ++i)
      d[i] = has(TileStep::kZeroC) ? 0u : addend.code((tile * c_.m + first) * c_.n + int64_t(i));
    const UnitProduct product = tile_of(c_, problem_, tile);
    const UnitTile part{first, rows, 0, c_.n};
    const bool rounds = has(TileStep::kRoundC), backwards = has(TileStep::kLastKFirst);
    if (!rounds && !backwards) {
      accumulate(unit_, product, part, 0, c_.k(), d.data(), c_.n);
    } else {
      for (int64_t s = 0; s < c_.steps; ++s) {
        const int64_t k = (backwards ? c_.steps - 1 - s : s) * unit_.k;
        if (rounds)
          for (uint32_t& code : d) code = through_f16(code);
        accumulate(unit_, product, part, k, k + unit_.k, d.data(), c_.n);
      }
    }
    if (has(TileStep::kSignZeros)) sign_zeros(tile, first, d);
    return d;
  }

 private:
  bool has(TileStep::Kind kind) const { return step_ && step_->kind == kind; }

  uint32_t through_f16(uint32_t code) const {
    const double value = decode(*unit_.d, code);
    if (std::isnan(value)) return code;
    return code_of(*unit_.d, round_to(kF16, value, Rounding::kNearestEven, Overflow::kSpecial));
  }

  void sign_zeros(int64_t tile, int64_t first, std::vector<uint32_t>& d) const {
    const HostTensor &a = find(problem_.tensors, "a"), &b = find(problem_.tensors, "b"), &addend = find(problem_.tensors, "c");
    for (size_t i = 0; i < d.size(); ++i) {
      const int64_t row = tile * c_.m + first + int64_t(i) / c_.n, column = int64_t(i) % c_.n;
      bool negative = d[i] == 0 && is_negative(*unit_.d, addend.code(row * c_.n + column));
      for (int64_t k = 0; k < c_.k() && negative; ++k)
        negative = is_negative(*a.spec.format, a.code(row * c_.k() + k)) !=
                   is_negative(*b.spec.format, b.code((tile * c_.n + column) * c_.k() + k));
      if (negative) d[i] = code_of(*unit_.d, -0.0);
    }
  }

  const MmaCase& c_;
  const Unit& unit_;
  const Problem& problem_;
  std::optional<TileStep> step_;
};

/// A model with one wrong step.
Hypothesis of_neighbour(const MmaCase& c, UnitNeighbour wrong) {
  const std::string name = wrong.name;
  return {name,
          [c, unit = std::move(wrong.row.unit)](const Problem& problem, const std::vector<HostTensor>*) {
            return expect_tiles(c, unit, problem);
          },
          rulebook().equivalent(c.row->id, *c.unit().a, name)};
}

Hypothesis of_step(const MmaCase& c, const std::string& name, TileStep step) {
  return {name,
          [c, step](const Problem& problem, const std::vector<HostTensor>*) { return expect_tiles(c, c.unit(), problem, step); },
          rulebook().equivalent(c.row->id, *c.unit().a, name)};
}

}  // namespace

Expectation expect_tiles(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step) {
  Part d{"d", &with_nans_by_code(*unit.d), {c.tiles * c.m, c.n}, "a unit has one code for each element"};
  std::shared_ptr<const Problem> edited;
  if (step && step->kind == TileStep::kDropProduct)
    edited = std::make_shared<Problem>(Problem{without_product(c, problem, step->product), {}});
  const auto accepted = [c, unit, &problem, step, edited, d](int64_t first, int64_t end) {
    const Problem& from = edited ? *edited : problem;
    const TileRows rows(c, unit, from, step);
    AcceptedRows block{first, end, {}, {}};
    block.low.reserve(size_t((end - first) * c.n));
    for (int64_t row = first; row < end;) {
      const int64_t tile = row / c.m, in_tile = row % c.m, count = std::min(c.m - in_tile, end - row);
      for (const uint32_t code : rows.codes(tile, in_tile, count)) block.low.push_back(ordinal(*d.format, code));
      row += count;
    }
    return AcceptedBlock{{std::move(block)}};
  };
  return {{Answer{"", {d}, d.rows(), accepted}}};
}

std::vector<Hypothesis> mma_hypotheses(const MmaCase& c) {
  std::vector<Hypothesis> all;
  for (UnitNeighbour& neighbour : unit_neighbours(*c.row)) all.push_back(of_neighbour(c, std::move(neighbour)));
  const auto add = [&](const char* name, TileStep step) { all.push_back(of_step(c, name, step)); };
  add("products: the first of an instruction is left out", {TileStep::kDropProduct, 0});
  add("products: the last of an instruction is left out", {TileStep::kDropProduct, c.unit().k - 1});
  add("c: ignored", {TileStep::kZeroC});
  if (c.steps > 1) add("order: the last instruction first", {TileStep::kLastKFirst});
  const Format& d = *c.unit().d;
  if (!d.is_integer()) {
    if (!(d == kF16)) add("c: kept in f16", {TileStep::kRoundC});
    const bool has_minus_zero = c.unit().a->specials != Specials::kFnuz && c.unit().sum != ProductSum::kPairs;
    if (has_minus_zero) add("round: a zero keeps its sign", {TileStep::kSignZeros});
  }
  return all;
}

}  // namespace assay
