#include "suites/gemm/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/dot/dot_tile.h"
#include "reference/flow/dot/dot_text.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/units/unit_definition.h"
#include "suites/gemm/operands.h"
#include "suites/mma/words.h"

namespace assay {
namespace {

/// Up to this k, every term is printed.
constexpr int64_t kMostTerms = 128;

/// Codes of the factors of one element.
struct Element {
  std::vector<uint32_t> a, b, scales_of_a, scales_of_b;  ///< for an instruction that takes scales
  int64_t scale_block = 0;

  Element(const Unit& unit, const DotInputs& inputs, int64_t row, int64_t column) : scale_block(unit.scale ? unit.scale_block : 0) {
    const UnitProduct& product = inputs.product;
    for (int64_t k = 0; k < product.k; ++k) {
      a.push_back(uint32_t(product.a.codes[row * product.a.pitch + k]));
      b.push_back(uint32_t(product.b.codes[column * product.b.pitch + k]));
    }
    for (int64_t k = 0; unit.scale && k < product.k; k += scale_block) {
      scales_of_a.push_back(code_of(*unit.scale, inputs.scale_a.at(row, k)));
      scales_of_b.push_back(code_of(*unit.scale, inputs.scale_b.at(column, k)));
    }
  }
  UnitElement part(int64_t first, int64_t end) const {
    UnitElement some{std::span(a).subspan(size_t(first), size_t(end - first)), std::span(b).subspan(size_t(first), size_t(end - first))};
    if (scale_block == 0) return some;
    const auto from = size_t(first / scale_block), count = size_t((end - first + scale_block - 1) / scale_block);
    some.a_scales = std::span(scales_of_a).subspan(from, count), some.b_scales = std::span(scales_of_b).subspan(from, count);
    return some;
  }
  double scale(const Unit& unit, int64_t k) const {
    if (scale_block == 0) return 1;
    return decode(*unit.scale, scales_of_a[size_t(k / scale_block)]) * decode(*unit.scale, scales_of_b[size_t(k / scale_block)]);
  }
  /// Sum of the products, accurate enough to print.
  double near_sum(const GemmCase& c, int64_t first, int64_t end) const {
    double sum = 0;
    for (int64_t k = first; k < end; ++k)
      sum += decode(*c.contract.unit.a, a[size_t(k)]) * decode(*c.contract.unit.b, b[size_t(k)]) * scale(c.contract.unit, k);
    return sum;
  }
};

double chain_lines(const GemmCase& c, const Element& element, int64_t first, int64_t end, std::vector<std::string>& lines) {
  const Unit& unit = c.contract.unit;
  const double chain = decode(*unit.d, defined_element(unit, element.part(first, end), 0));
  if (c.k <= kMostTerms)
    for (const UnitBlockSeen& block : seen_element(unit, element.part(first, end), 0))
      append_block_lines(unit, element.part(first, end), block, lines);
  const double near = element.near_sum(c, first, end);
  lines.push_back(fmt::format("k {}..{}: chain = {:.9g}, about {:.9g} without rounding", first, end - 1, chain, near));
  return chain;
}

/// Records the result of each step of the recipe.
class Steps : public StepListener {
 public:
  explicit Steps(std::vector<std::string>& lines) : lines_(lines) {}
  void step(const Step& step, const RowPart& after) override {
    lines_.push_back(after[0].pinned() ? fmt::format("  {:<12} {:.9g}", step.text, after[0].low)
                                       : fmt::format("  {:<12} {:.9g} to {:.9g}", step.text, after[0].low, after[0].high));
  }

 private:
  std::vector<std::string>& lines_;
};

std::string code_text(const Format& format, double value) {
  if (std::isnan(value)) return "NaN";
  return fmt::format("{:0{}x} = {:.9g}", code_of(format, value), format.bits / 4, value);
}

/// Quantities that steps refer to, for one element and its products from k on, with a description.
class Quantities {
 public:
  Quantities(const Recipe& recipe, std::string given) : recipe_(recipe), given_(std::move(given)) {}

  void set(const char* name, double value) {
    if (!reads(recipe_, name)) return;
    environment.set(name, point(value));
    given_ += fmt::format("{}{} = {:.9g}", given_.empty() ? "" : ", ", name, value);
  }
  const std::string& given() const { return given_; }
  Environment environment;

 private:
  const Recipe& recipe_;
  std::string given_;
};

/// A promotion: adds the chain's result to acc.
double join_lines(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column, int64_t k, double chain, double acc,
                  std::vector<std::string>& lines) {
  const Recipe join = join_recipe(c.contract);
  Quantities quantities(join, "");
  quantities.set("sa", inputs.scale_a.at(row, k));
  quantities.set("sb", inputs.scale_b.at(column, k));
  quantities.set("acc", acc);
  Spans value(std::vector<double>{chain});
  evaluate(join, value, quantities.environment);
  lines.push_back(fmt::format("  promoted: {}: acc = {:.9g}", quantities.given(), value[0].low));
  return value[0].low;
}

void result_lines(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column, double acc,
                  std::vector<std::string>& lines) {
  const Recipe recipe = dot_recipe(c.contract, *c.y, !inputs.bias.empty());
  if (!inputs.azp_adj.empty()) {
    const double zeros = (inputs.azp.empty() ? 1 : inputs.azp[size_t(row)]) * inputs.azp_adj[size_t(column)];
    acc -= zeros;
    lines.push_back(fmt::format("zero points take off {:.0f}: acc = {:.0f}", zeros, acc));
  }
  Quantities quantities(recipe, fmt::format("acc = {:.9g}", acc));
  quantities.set("sa", inputs.scale_a.at(row, 0));
  quantities.set("sb", inputs.scale_b.at(column, 0));
  if (!inputs.outer_a.values.empty()) quantities.set("ga", inputs.outer_a.at(row, 0));
  if (!inputs.outer_b.values.empty()) quantities.set("gb", inputs.outer_b.at(column, 0));
  if (!inputs.bias.empty()) quantities.set("bias", inputs.bias[size_t(column)]);
  if (!inputs.c.empty()) quantities.set("c", inputs.c[size_t(row * c.n + column)]);
  lines.push_back(quantities.given());
  Spans value(std::vector<double>{acc});
  Steps listener(lines);
  evaluate(recipe, value, quantities.environment, &listener);
  const Span d = value[0];
  lines.push_back(d.pinned() ? "d     " + code_text(*c.y, d.low)
                             : "d     " + code_text(*c.y, d.low) + " to " + code_text(*c.y, d.high));
}

/// The exact product with scales and added terms, as a nearby double.
double exact_value(const GemmCase& c, const Problem& problem, const DotInputs& inputs, int64_t row, int64_t column) {
  const DecodedOperand a(operand_a(c, problem, inputs), c.k), b(operand_b(c, problem, inputs), c.k);
  ExactElements elements(a, b);
  return elements.at(row, column).low * outer_scale(inputs, row, column) + beside_product(c, inputs, row, column);
}

}  // namespace

std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column) {
  if (row >= c.m || column >= c.n) return {fmt::format("d has {} rows and {} columns", c.m, c.n)};
  const DotInputs inputs = gemm_inputs(c, problem);
  const Element element(c.contract.unit, inputs, row, column);
  const DotProgram program = dot_programs(c.contract, c.k).front();
  std::vector<std::string> lines = {
      fmt::format("d[{}, {}] by {}{}", row, column, c.id(), program.name.empty() ? "" : ", " + program.name)};
  if (c.contract.unknown())
    lines.push_back(fmt::format("  one of {} ways that are accepted: {}", c.contract.members.size(),
                                dot_way_words(c.contract.members.front(), program)));
  double acc = 0;
  for (int64_t part = 0; part < c.k; part += program.part) {
    const int64_t end = std::min(part + program.part, c.k), length = program.promote > 0 ? program.promote : program.part;
    double sum = 0;
    for (int64_t k = part; k < end; k += length) {
      const double chain = chain_lines(c, element, k, std::min(k + length, end), lines);
      sum = program.promote > 0 ? join_lines(c, inputs, row, column, k, chain, sum, lines) : chain;
    }
    acc = part == 0 ? sum : double(float(acc + sum));
    if (part > 0) lines.push_back(fmt::format("  with the parts before: acc = {:.9g}", acc));
  }
  result_lines(c, inputs, row, column, acc, lines);
  const double exact = exact_value(c, problem, inputs, row, column);
  lines.push_back(fmt::format("exact {:.17g}", exact));
  return lines;
}

}  // namespace assay
