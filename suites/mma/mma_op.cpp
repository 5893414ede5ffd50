#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/units/unit_table.h"
#include "suites/mma/mma_case.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// The codes of one element, in the definition's form.
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

/// The factors of a product, or of a group of products.
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
        fmt::format("  c {:.9g} + {:.9g}, to the nearest: d = {}", block.c, block.sum, result_text(*unit.d, block.d)));
    return;
  }
  lines.push_back(fmt::format("products {}..{}, c = {:.9g}", block.ks.front(), block.ks.back(), block.c));
  if (block.terms.empty()) {  // a tree, integers, or a term that is not finite
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
      fmt::format("  {}sum of what was kept {:.9g}: d = {}{}", one_sum ? "" : fmt::format("E = {}, ", block.largest), block.sum, result_text(*unit.d, block.d),
                  block.d == block.sum || std::isinf(block.d) ? "" : fmt::format(", rounded by {:.9g}", block.d - block.sum)));
}

std::vector<std::string> trace_element(const MmaCase& c, const Problem& problem, int64_t row, int64_t column) {
  if (row >= c.tiles * c.m || column >= c.n) return {fmt::format("d has {} rows and {} columns", c.tiles * c.m, c.n)};
  const Gathered g = gather(c, problem, row, column);
  std::vector<std::string> lines = {fmt::format("d[{}, {}, {}] of unit {}", row / c.m, row % c.m, column, c.row->id),
                                    "codes are hexadecimal, with their values; e: the exponent that a term is aligned by"};
  for (const UnitBlockSeen& block : seen_element(c.unit(), g.element(), g.c)) append_block_lines(c.unit(), g.element(), block, lines);
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
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override { return expect_tiles(c_, c_.unit(), problem); }
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
  return {.name = "mma",
          .roles = {{"c", Access::kIn, "[tiles, m, n]: the addend, in the format of d"},
                    {"a", Access::kIn,
                     "[tiles, m, k]: k of the instruction, times the number of instructions in a row; tf32 is stored in f32 words, "
                     "4-bit codes two per byte"},
                    {"b", Access::kIn, "[tiles, n, k]: likewise; d = a * b^T + c"},
                    {"sfa", Access::kIn, "[tiles, m, k / block]: scales of a, if the instruction has them; ue4m3 has the type of e4m3fn"},
                    {"sfb", Access::kIn, "[tiles, n, k / block]: scales of b, likewise"},
                    {"d", Access::kOut, "[tiles, m, n]: the result of the instruction"}},
          .parameters = {roles::kWarp},
          .columns = {"contract", "tiles", "m", "n", "steps", "fill", "b", "c", "scale", "seed", "warp"},
          .optional_columns = {"scale"},
          .takes = [](const std::string& contract) { return rulebook().is_unit(contract); },
          .bind = bind_mma};
}

}  // namespace assay
