#include "suites/gemm_scaled/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/dot/element.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/units/definition.h"
#include "suites/mma/words.h"

namespace assay {
namespace {

/// So many products are shown term by term.
constexpr int64_t kMostTerms = 128;

DotOperand operand(const HostTensor& codes, const HostTensor* scale, bool of_rows) {
  DotOperand one{codes.bytes.data(), codes.spec.format, codes.spec.shape[0], codes.spec.shape[1], 1, {}};
  if (scale)
    one.scales = {scale->bytes.data(), &kF32, of_rows ? 1 : codes.spec.shape[0], codes.spec.shape[1], of_rows ? 1 : 0, 0};
  return one;
}

/// Codes of one element's factors.
struct Element {
  std::vector<uint32_t> a, b;

  Element(const GemmCase& c, const Problem& problem, int64_t row, int64_t column) {
    for (int64_t k = 0; k < c.k; ++k) {
      a.push_back(find(problem.tensors, "a").code(row * c.k + k));
      b.push_back(find(problem.tensors, "b").code(column * c.k + k));
    }
  }
  UnitElement part(int64_t first, int64_t end) const {
    return {std::span(a).subspan(size_t(first), size_t(end - first)), std::span(b).subspan(size_t(first), size_t(end - first))};
  }
  /// The sum of products, near enough to be printed.
  double near_sum(const GemmCase& c, int64_t first, int64_t end) const {
    double sum = 0;
    for (int64_t k = first; k < end; ++k)
      sum += decode(*c.contract.unit.a, a[size_t(k)]) * decode(*c.contract.unit.b, b[size_t(k)]);
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

/// What each step of the recipe made of the sum.
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

void result_lines(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column, double acc,
                  std::vector<std::string>& lines) {
  const auto scale = [](const std::vector<double>& scales, int64_t at) { return scales[scales.size() == 1 ? 0 : size_t(at)]; };
  Environment environment;
  environment.set("sa", point(scale(inputs.scale_a, row)));
  environment.set("sb", point(scale(inputs.scale_b, column)));
  std::string given =
      fmt::format("acc = {:.9g}, sa = {:.9g}, sb = {:.9g}", acc, scale(inputs.scale_a, row), scale(inputs.scale_b, column));
  if (!inputs.bias.empty()) {
    environment.set("bias", point(inputs.bias[size_t(column)]));
    given += fmt::format(", bias = {:.9g}", inputs.bias[size_t(column)]);
  }
  lines.push_back(given);
  Spans value(std::vector<double>{acc});
  Steps listener(lines);
  evaluate(dot_recipe(c.contract, *c.y, !inputs.bias.empty()), value, environment, &listener);
  const Span d = value[0];
  lines.push_back(d.pinned() ? "d     " + code_text(*c.y, d.low)
                             : "d     " + code_text(*c.y, d.low) + " to " + code_text(*c.y, d.high));
}

/// The exact product with its scales and bias, as a double near it.
double exact_value(const GemmCase& c, const Problem& problem, const DotInputs& inputs, int64_t row, int64_t column) {
  const DecodedOperand a(operand(find(problem.tensors, "a"), &find(problem.tensors, "scale_a"), c.a_has_scales_of_rows()), c.k),
      b(operand(find(problem.tensors, "b"), &find(problem.tensors, "scale_b"), c.b_has_scales_of_rows()), c.k);
  ExactElements elements(a, b);
  return elements.at(row, column).low + (inputs.bias.empty() ? 0 : inputs.bias[size_t(column)]);
}

}  // namespace

std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column) {
  if (row >= c.m || column >= c.n) return {fmt::format("d has {} rows and {} columns", c.m, c.n)};
  const DotInputs inputs = gemm_inputs(c, problem);
  const Element element(c, problem, row, column);
  const DotProgram program = dot_programs(c.contract, c.k).front();
  std::vector<std::string> lines = {
      fmt::format("d[{}, {}] by {}{}", row, column, c.id(), program.name.empty() ? "" : ", " + program.name)};
  double acc = 0;
  for (int64_t part = 0; part < c.k; part += program.part) {
    const int64_t end = std::min(part + program.part, c.k), length = program.promote > 0 ? program.promote : program.part;
    double sum = 0;
    for (int64_t k = part; k < end; k += length) {
      const double chain = chain_lines(c, element, k, std::min(k + length, end), lines);
      sum = program.promote > 0 ? double(float(sum + chain)) : chain;
      if (program.promote > 0) lines.push_back(fmt::format("  promoted: acc = {:.9g}", sum));
    }
    acc = part == 0 ? sum : double(float(acc + sum));
    if (part > 0) lines.push_back(fmt::format("  with the parts before: acc = {:.9g}", acc));
  }
  result_lines(c, inputs, row, column, acc, lines);
  const double exact = exact_value(c, problem, inputs, row, column);
  lines.push_back(fmt::format("exact {:.17g}", exact));
  return lines;
}

std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const DotInputs inputs = gemm_inputs(c, problem);
  const auto size = size_t(c.m * c.n);
  std::vector<double> value(size), error(size), bound(size);
  DotOutputs wanted;
  wanted.value = value;
  wanted.error = error;
  const Unit& unit = c.contract.unit;
  const bool has_bound = unit.sum == ProductSum::kAligned && unit.join == AccumulatorJoin::kAligned && unit.group == 1;
  if (has_bound) {
    wanted.model = AccumulatorModel{.products_per_step = unit.take,
                                    .fraction_bits = unit.fraction_bits,
                                    .result_bits = unit.result_bits,
                                    .result_to_nearest = unit.rounding == ResultRounding::kNearestEven,
                                    .chunk = c.contract.promote};
    wanted.bound = bound;
  }
  exact_dot({operand(find(problem.tensors, "a"), &find(problem.tensors, "scale_a"), c.a_has_scales_of_rows()),
             operand(find(problem.tensors, "b"), &find(problem.tensors, "scale_b"), c.b_has_scales_of_rows()), c.k},
            {0, c.m, 0, c.n}, wanted);
  const HostTensor& d = find(outputs, "d");
  double worst_ulps = 0, worst_part = 0;
  int64_t above = 0, below = 0;
  for (size_t i = 0; i < size; ++i) {
    const double exact = value[i] + (inputs.bias.empty() ? 0 : inputs.bias[i % size_t(c.n)]),
                 got = decode(*c.y, d.code(int64_t(i)));
    if (!std::isfinite(exact) || !std::isfinite(got)) continue;
    const double near = round_to(*c.y, exact, Rounding::kNearestEven, Overflow::kSaturate);
    const double ulp =
        std::max(next_up(*c.y, std::fabs(near)) - std::fabs(near), power_of_two(c.y->min_exponent() - c.y->mantissa_bits));
    worst_ulps = std::max(worst_ulps, std::fabs(got - exact) / ulp);
    if (has_bound) worst_part = std::max(worst_part, std::fabs(got - exact) / (bound[i] + error[i] + ulp));
    const bool larger = std::fabs(got) > std::fabs(exact);
    (larger ? above : below) += got != exact;
  }
  std::vector<std::string> notes = {
      fmt::format("farthest from the exact product: {:.3g} ulp of {}; {} magnitudes are above it, {} below", worst_ulps,
                  c.y->name, above, below)};
  if (has_bound)
    notes.push_back(
        fmt::format("{:.3g} times what the unit's additions and one rounding may lose in any order, at most", worst_part));
  return notes;
}

}  // namespace assay
