#include "suites/mma/mma_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "harness/fill/fill.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/units/unit_table.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {

// Tiles: cells of the case table, tensors of a call, accepted results, and mutants.

namespace {

/// Random streams of the tensors. Golden files depend on these numbers.
enum Stream : uint32_t { kC, kA, kB, kScaleA, kScaleB };

/// The format in memory: tf32 is stored as f32, and NVFP4's scales (ue4m3) as e4m3fn, which has the same bytes.
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
  if (!p.unit().known())
    cells.refuse("contract",
                 "the arithmetic of instruction " + p.row->id + " is unknown, so it can have no cases: " + p.row->text("source"));
  p.tiles = cells.positive("tiles");
  p.m = cells.positive("m");
  p.n = cells.positive("n");
  p.steps = cells.positive("steps");
  p.fill = cells.fill_name("fill");
  p.b = cells.fill_name("b");
  p.c = cells.fill_name("c");
  const bool given = cells.given("scale");
  if (given != (p.unit().scale != nullptr))
    cells.refuse("scale", "unit " + p.row->id + (given ? " takes no scales; expected an empty cell" : " takes scales; expected a fill"));
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

/// The tensors of a case in which both factors of product `dropped` are 0 in every instruction.
std::vector<HostTensor> without_product(const MmaCase& c, const Problem& problem, int dropped) {
  std::vector<HostTensor> tensors = problem.tensors;
  for (const char* role : {"a", "b"}) {
    HostTensor& tensor = find(tensors, role);
    for (int64_t at = dropped; at < tensor.spec.elements(); at += c.unit().k) tensor.set_code(at, 0);
  }
  return tensors;
}

bool is_negative(const Format& format, uint32_t code) { return format.has_sign() && (code >> (format.bits - 1) & 1) != 0; }

/// Computes rows of tiles.
class TileRows {
 public:
  TileRows(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step)
      : c_(c), unit_(unit), problem_(problem), step_(step) {}

  /// Codes of rows [first, first + rows) of d in a tile.
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

/// Mutant: the model of the instruction with one wrong step.
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
  Part d{"d", &with_nans_by_code(*unit.d), {c.tiles * c.m, c.n}, "the instruction accepts one code for each element"};
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

// Text about an element, and the op itself.

namespace {

/// The codes from which one element of d is computed.
struct Gathered {
  std::vector<uint32_t> a, b, a_scales, b_scales;
  uint32_t c = 0;

  UnitElement element() const { return {a, b, a_scales, b_scales}; }
};

Gathered gather(const MmaCase& c, const Problem& problem, int64_t row, int64_t column) {
  const auto codes = [&](const char* role, int64_t line, int64_t count, const Format& format) {
    const HostTensor& tensor = find(problem.tensors, role);
    std::vector<uint32_t> all;
    for (int64_t k = 0; k < count; ++k)
      all.push_back(tensor.code(line * count + k) >>
                    (tensor.spec.format->bits > 19 ? tensor.spec.format->bits - format.bits : 0));
    return all;
  };
  const Unit& unit = c.unit();
  const int64_t line_of_b = row / c.m * c.n + column;
  Gathered g{codes("a", row, c.k(), *unit.a),
             codes("b", line_of_b, c.k(), *unit.b),
             {},
             {},
             find(problem.tensors, "c").code(row * c.n + column)};
  if (unit.scale)
    g.a_scales = codes("sfa", row, c.scales(), *unit.scale), g.b_scales = codes("sfb", line_of_b, c.scales(), *unit.scale);
  return g;
}

std::string code_text(const Format& format, uint32_t code) {
  return fmt::format("{:0{}x} = {:.9g}", code, (format.bits + 3) / 4, decode(format, code));
}

/// The factors of product k, or of a group of products, as text.
std::string factors_text(const Unit& unit, const UnitElement& g, int k) {
  std::string text =
      unit.group > 1 ? fmt::format("k {}..{}", k, k + unit.group - 1)
                     : fmt::format("k {:<3} {} * {}", k, code_text(*unit.a, g.a[size_t(k)]), code_text(*unit.b, g.b[size_t(k)]));
  if (unit.scale)
    text += fmt::format(", scales {} * {}", code_text(*unit.scale, g.a_scales[size_t(k / unit.scale_block)]),
                        code_text(*unit.scale, g.b_scales[size_t(k / unit.scale_block)]));
  return text;
}

std::string term_text(const Unit& unit, const UnitElement& g, const UnitTermSeen& term) {
  const std::string what = term.k >= 0 ? factors_text(unit, g, term.k) : term.is_c ? "c" : "sum of products";
  std::string text = fmt::format("  {:<42} {:>16.9g}  e {:>5}", what, term.value, term.exponent);
  return text +
         (term.kept == term.value ? "  whole" : fmt::format("  kept {:.9g}, cut off {:.9g}", term.kept, term.value - term.kept));
}

std::string result_text(const Format& d, double value) { return std::isnan(value) ? "NaN" : code_text(d, code_of(d, value)); }

}  // namespace

void append_block_lines(const Unit& unit, const UnitElement& g, const UnitBlockSeen& block, std::vector<std::string>& lines) {
  if (block.ks.empty()) {
    lines.push_back(
        fmt::format("  c {:.9g} + {:.9g}, rounded to nearest: d = {}", block.c, block.sum, result_text(*unit.d, block.d)));
    return;
  }
  lines.push_back(fmt::format("products {}..{}, c = {:.9g}", block.ks.front(), block.ks.back(), block.c));
  if (block.terms.empty()) {  // terms are not listed: they are added in a tree or are integers, or one is not finite
    for (const int k : block.ks) lines.push_back("  " + factors_text(unit, g, k));
    lines.push_back(fmt::format("  d = {}", result_text(*unit.d, block.d)));
    return;
  }
  const bool one_sum = unit.join == AccumulatorJoin::kAligned && unit.loss == BitLoss::kTruncate;
  if (one_sum && block.largest != kNoExponent)
    lines.push_back(fmt::format("  E = {} is {}: bits of each term below 2^{} are cut off", block.largest,
                                block.largest == unit.least_exponent ? "the least exponent that this "
                                                                       "instruction aligns to"
                                                                     : "the largest e",
                                block.largest - unit.fraction_bits));
  for (const UnitTermSeen& term : block.terms)
    if (term.value != 0 || term.is_c) lines.push_back(term_text(unit, g, term));
  const auto zeros = std::count_if(block.terms.begin(), block.terms.end(),
                                   [](const UnitTermSeen& term) { return term.value == 0 && !term.is_c; });
  if (zeros > 0) lines.push_back(fmt::format("  {} terms are 0", zeros));
  lines.push_back(
      fmt::format("  {}sum of the kept parts {:.9g}: d = {}{}", one_sum ? "" : fmt::format("E = {}, ", block.largest), block.sum,
                  result_text(*unit.d, block.d),
                  block.d == block.sum || std::isinf(block.d) ? "" : fmt::format(", rounded by {:.9g}", block.d - block.sum)));
}

std::vector<std::string> trace_element(const MmaCase& c, const Problem& problem, int64_t row, int64_t column) {
  if (row >= c.tiles * c.m || column >= c.n) return {fmt::format("d has {} rows and {} columns", c.tiles * c.m, c.n)};
  const Gathered g = gather(c, problem, row, column);
  std::vector<std::string> lines = {fmt::format("d[{}, {}, {}] of unit {}", row / c.m, row % c.m, column, c.row->id),
                                    "each term: its hexadecimal codes with their values; e is the exponent by which it is aligned"};
  for (const UnitBlockSeen& block : seen_element(c.unit(), g.element(), g.c))
    append_block_lines(c.unit(), g.element(), block, lines);
  const uint32_t code = defined_element(c.unit(), g.element(), g.c);
  lines.push_back("d     " + code_text(*c.unit().d, code));
  return lines;
}
namespace {

class BoundMma : public BoundCase {
 public:
  BoundMma(MmaCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  std::string arch() const override { return chip_of_unit(c_.row->id); }
  Problem problem() const override { return mma_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    return expect_tiles(c_, c_.unit(), problem);
  }
  std::vector<Hypothesis> mutants() const override { return mma_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    constexpr int64_t kMostTiles = 4;
    if (c_.tiles <= kMostTiles) return nullptr;
    MmaCase few = c_;
    few.tiles = kMostTiles;
    return std::make_unique<const BoundMma>(std::move(few), name_);
  }
  std::vector<std::string> formulas() const override { return unit_lines(c_.unit()); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_element(c_, problem, row, column);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    const auto cells = [](const char* column) {
      return [column](int64_t units) { return CellChanges{{column, std::to_string(units)}}; };
    };
    return Shrinking{{{c_.tiles, cells("tiles")}, {c_.steps, cells("steps")}}, {}, c_.tiles * c_.m * c_.k()};
  }

 private:
  const MmaCase c_;
  const CaseName name_;
};

std::unique_ptr<const BoundCase> bind_mma(const Case& c) {
  MmaCase p = read_mma_case(c);
  const std::string scale = p.scale.empty() ? "" : "." + p.scale;
  CaseName name = {c.op, p.row->id, fmt::format("t{}.m{}.n{}.k{}", p.tiles, p.m, p.n, p.k()),
                   fmt::format("{}.{}.{}{}.s{}", p.fill, p.b, p.c, scale, p.seed), p.warp};
  return std::make_unique<const BoundMma>(std::move(p), std::move(name));
}

}  // namespace

Op mma_op() {
  return {
      .name = "mma",
      .roles = {{"c", Access::kIn, "[tiles, m, n]: the addend, in the format of d"},
                {"a", Access::kIn,
                 "[tiles, m, k], with k = the instruction's k times the number of consecutive instructions; tf32 is stored in f32 words, "
                 "4-bit codes two per byte"},
                {"b", Access::kIn, "[tiles, n, k]: the second factor, stored like a; d = a * b^T + c"},
                {"sfa", Access::kIn,
                 "[tiles, m, k / block]: scales of a, if the instruction has them; ue4m3 is passed as e4m3fn"},
                {"sfb", Access::kIn, "[tiles, n, k / block]: scales of b, as for a"},
                {"d", Access::kOut, "[tiles, m, n]: the result of the instruction"}},
      .parameters = {roles::kWarp},
      .columns = {"contract", "tiles", "m", "n", "steps", "fill", "b", "c", "scale", "seed", "warp"},
      .optional_columns = {"scale"},
      .takes = [](const std::string& contract) { return rulebook().is_unit(contract); },
      .bind = bind_mma};
}

}  // namespace assay
