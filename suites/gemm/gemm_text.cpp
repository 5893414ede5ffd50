#include "suites/gemm/gemm_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "reference/dot/dot_tile.h"
#include "reference/dot/exact_dot.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/recipe/eval.h"
#include "reference/units/unit_definition.h"
#include "suites/mma/mma_case.h"
#include "suites/rows/row_tensors.h"

namespace assay {
namespace {

/// Largest k for which each term is printed.
constexpr int64_t kMostTerms = 128;

/// Codes of a and b for one element of d.
struct Element {
  std::vector<uint32_t> a, b, scales_of_a, scales_of_b;  ///< scales only for an instruction that takes scales
  int64_t scale_block = 0;

  Element(const DotContract& contract, const DotInputs& inputs, int64_t row, int64_t column)
      : scale_block(contract.unit.scale ? contract.unit.scale_block : 0) {
    const Unit& unit = contract.unit;
    const UnitProduct& product = inputs.product;
    const OperandCodes decoded = decoded_operands(contract, inputs);
    const auto code = [](const std::byte* codes, int64_t at, int bytes) {
      uint32_t value = 0;
      std::memcpy(&value, codes + at * bytes, size_t(bytes));
      return value;
    };
    for (int64_t k = 0; k < product.k; ++k) {
      a.push_back(decoded.a.empty() ? code(product.a.codes, row * product.a.pitch + k, 1)
                                    : code(decoded.a.data(), row * product.k + k, unit.a->bytes()));
      b.push_back(decoded.b.empty() ? code(product.b.codes, column * product.b.pitch + k, 1)
                                    : code(decoded.b.data(), column * product.k + k, unit.b->bytes()));
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
  /// The sum of the products in double precision, which is accurate enough to print.
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

/// Adds a line with the result of each step of a recipe.
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

/// The values that a recipe's steps refer to (scales, acc, bias, ...) for one element, and a text that lists them.
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

/// A promotion: adds `chain`, the accumulator of a run of instructions, to the fp32 sum `acc`.
double join_lines(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column, int64_t k, double chain, double acc,
                  std::vector<std::string>& lines) {
  const Recipe join = join_recipe(c.contract, c.contract.may_scale_alone(c.k));
  Quantities quantities(join, "");
  quantities.set("sa", inputs.scale_a.at(row, k));
  quantities.set("sb", inputs.scale_b.at(column, k));
  quantities.set("acc", acc);
  Spans value(std::vector<double>{chain});
  evaluate(join, value, quantities.environment);
  lines.push_back(fmt::format("  promoted: {}: acc = {:.9g}", quantities.given(), value[0].low));
  return value[0].low;
}

void result_lines(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column, double acc, bool whole,
                  std::vector<std::string>& lines) {
  const Recipe recipe = dot_recipe(c.contract, *c.y, !inputs.bias.empty(), whole);
  if (!inputs.azp_adj.empty()) {
    const double zeros = (inputs.azp.empty() ? 1 : inputs.azp[size_t(row)]) * inputs.azp_adj[size_t(column)];
    acc -= zeros;
    lines.push_back(fmt::format("minus {:.0f} for zero points: acc = {:.0f}", zeros, acc));
  }
  Quantities quantities(recipe, fmt::format("acc = {:.9g}", acc));
  quantities.set("sa", inputs.scale_a.at(row, 0));
  quantities.set("sb", inputs.scale_b.at(column, 0));
  if (!inputs.outer_a.values.empty()) quantities.set("ga", inputs.outer_a.at(row, 0));
  if (!inputs.outer_b.values.empty()) quantities.set("gb", inputs.outer_b.at(column, 0));
  if (!inputs.outer_a.values.empty() && !inputs.outer_b.values.empty())
    quantities.set("gy", both_rounded(*c.y, inputs.outer_a.at(row, 0), inputs.outer_b.at(column, 0)));
  if (!inputs.bias.empty()) quantities.set("bias", inputs.bias[size_t(column)]);
  quantities.set("w", inputs.weights.empty() ? 1.0 : inputs.weights[size_t(row)]);
  if (!inputs.c.empty()) quantities.set("c", inputs.c[size_t(row * inputs.n + column)]);
  lines.push_back(quantities.given());
  Spans value(std::vector<double>{acc});
  Steps listener(lines);
  evaluate(recipe, value, quantities.environment, &listener);
  const Span d = value[0];
  lines.push_back(d.pinned() ? "d     " + code_text(*c.y, d.low)
                             : "d     " + code_text(*c.y, d.low) + " to " + code_text(*c.y, d.high));
}

/// The exact product with scales and added terms, rounded to double at the end.
double exact_value(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column) {
  const ExactGemm exact(c, inputs);
  const DecodedOperand a(exact.factors().a, c.k), b(exact.factors().b, c.k);
  ExactElements elements(a, b);
  return elements.at(row, column).low * exact.outer_scale(row, column) + exact.beside_product(row, column);
}

}  // namespace

std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column) {
  if (row >= c.m || column >= c.n) return {fmt::format("d has {} rows and {} columns", c.m, c.n)};
  const DotInputs inputs = gemm_inputs(c, problem);
  const GemmRun run = c.run_of(row);
  const int64_t of_a = run.stored, of_b = run.b + column;
  const Element element(c.contract, inputs, of_a, of_b);
  const DotProgram program = dot_programs(c.contract, c.k).front();
  std::vector<std::string> lines = {
      fmt::format("d[{}, {}] by {}{}", row, column, c.id(), program.name.empty() ? "" : ", " + program.name)};
  if (c.contract.unknown())
    lines.push_back(fmt::format("  one of {} accepted algorithms: {}", c.contract.members.size(),
                                dot_way_words(c.contract.members.front(), program)));
  double acc = 0;
  for (int64_t part = 0; part < c.k; part += program.part) {
    const int64_t end = std::min(part + program.part, c.k), length = program.promote > 0 ? program.promote : program.part;
    double sum = 0;
    for (int64_t k = part; k < end; k += length) {
      const double chain = chain_lines(c, element, k, std::min(k + length, end), lines);
      sum = program.promote > 0 ? join_lines(c, inputs, of_a, of_b, k, chain, sum, lines) : chain;
    }
    acc = part == 0 ? sum : double(float(acc + sum));
    if (part > 0) lines.push_back(fmt::format("  added to the earlier parts of k: acc = {:.9g}", acc));
  }
  result_lines(c, inputs, of_a, of_b, acc, program.part >= c.k, lines);
  lines.push_back(fmt::format("exact {:.17g}", exact_value(c, inputs, of_a, of_b)));
  return lines;
}
namespace {

/// Most multiply-accumulates that are summed exactly: they take some hundredths of a second on one core.
constexpr int64_t kExactProducts = int64_t{1} << 27;

/// Models that bound the error of the accumulators, for each variant that may have computed d; empty if one has no such model.
std::vector<AccumulatorModel> models_of(const DotContract& contract) {
  if (contract.unit.scale || contract.decoded.any()) return {};  // the bound covers sums, not roundings of operands
  std::vector<AccumulatorModel> models;
  const std::vector<DotContract> alone = {contract};
  for (const DotContract& member : contract.unknown() ? contract.members : alone) {
    const std::optional<AccumulatorModel> model = accumulator_model(member.unit, member.promote);
    if (!model) return {};
    models.push_back(*model);
  }
  return models;
}

/// For each element of some rows of d: exact value, bound of its rounding error, bound of d's error, sum of magnitudes, output.
struct ExactValues {
  std::vector<double> value, error, bound, magnitudes, got;
};

ExactValues exact_values(const GemmCase& c, const DotInputs& inputs, const std::vector<AccumulatorModel>& models, const std::vector<GemmRun>& runs,
                         const HostTensor& d) {
  const ExactGemm exact(c, inputs);
  ExactValues all;
  if (std::all_of(runs.begin(), runs.end(), [&](const GemmRun& run) { return run.count * c.n == 0; })) return all;  // d is empty
  const DecodedOperand a(exact.factors().a, exact.factors().k), b(exact.factors().b, exact.factors().k);
  for (const GemmRun& run : runs) {
    const DotRange range{run.stored, run.count, run.b, c.n};
    const auto size = size_t(run.count * c.n);
    std::vector<double> value(size), error(size), bound(size), magnitudes(size);
    DotOutputs wanted;
    wanted.value = value;
    wanted.error = error;
    wanted.absolute_sum = magnitudes;
    if (!models.empty()) wanted.model = models.front(), wanted.bound = bound;
    exact_dot(a, b, range, wanted);
    for (size_t other = 1; other < models.size(); ++other) {  // use the largest bound of all variants
      std::vector<double> of_other(size);
      DotOutputs another;
      another.model = models[other], another.bound = of_other;
      exact_dot(a, b, range, another);
      for (size_t i = 0; i < size; ++i) bound[i] = std::max(bound[i], of_other[i]);
    }
    for (size_t i = 0; i < size; ++i) {
      const int64_t row = run.stored + int64_t(i) / c.n, column = int64_t(i) % c.n;
      const double outer = exact.outer_scale(row, run.b + column), size_of_outer = std::fabs(outer);
      all.value.push_back(value[i] * outer + exact.beside_product(row, run.b + column));
      all.error.push_back(error[i] * size_of_outer);
      all.bound.push_back(bound[i] * size_of_outer);
      all.magnitudes.push_back(magnitudes[i] * size_of_outer);
      all.got.push_back(decode(*c.y, d.code(d.spec.row(row) + column)));
    }
  }
  return all;
}

std::vector<std::string> remarks(const GemmCase& c, const Problem& problem, const std::vector<GemmRun>& runs, const HostTensor& d) {
  const std::vector<AccumulatorModel> models = models_of(c.contract);
  const bool has_bound = !models.empty();
  const ExactValues values = exact_values(c, gemm_inputs(c, problem), models, runs, d);
  const std::vector<double>&error = values.error, &bound = values.bound, &magnitudes = values.magnitudes;
  const size_t size = values.value.size();
  double worst_ulps = 0, worst_part = 0, errors = 0, squares = 0;
  int64_t above = 0, below = 0, normalized = 0, finite = 0;
  for (size_t i = 0; i < size; ++i) {
    const double exact = values.value[i], got = values.got[i];
    if (!std::isfinite(exact) || !std::isfinite(got)) continue;
    ++finite;
    const double near = round_to(*c.y, exact, Rounding::kNearestEven, Overflow::kSaturate);
    const double ulp =
        std::max(next_up(*c.y, std::fabs(near)) - std::fabs(near), power_of_two(c.y->min_exponent() - c.y->mantissa_bits));
    worst_ulps = std::max(worst_ulps, std::fabs(got - exact) / ulp);
    if (has_bound) worst_part = std::max(worst_part, std::fabs(got - exact) / (bound[i] + error[i] + ulp));
    if (magnitudes[i] > 0) {
      const double part = std::copysign(1.0, exact) * (got - exact) / magnitudes[i];
      errors += part, squares += part * part, ++normalized;
    }
    const bool larger = std::fabs(got) > std::fabs(exact);
    (larger ? above : below) += got != exact;
  }
  if (finite == 0) return {"no element has a finite result and a finite exact product"};
  std::vector<std::string> notes = {
      fmt::format("the worst element differs from the exact product by {:.3g} ulp of {}; {} elements are too large in magnitude, "
                  "{} too small{}",
                  worst_ulps, c.y->name, above, below,
                  finite < int64_t(size) ? fmt::format(", {} have no finite distance", int64_t(size) - finite) : "")};
  if (normalized > 0) {
    const double bias = errors / double(normalized);
    notes.push_back(
        fmt::format("errors, each divided by the sum of |a * b| of its products: mean {:.3g} (below 0: toward zero), standard "
                    "deviation {:.3g}",
                    bias, std::sqrt(std::max(0.0, squares / double(normalized) - bias * bias))));
  }
  if (has_bound)
    notes.push_back(fmt::format(
        "the worst error is {:.3g} times the bound for additions in any order and one rounding",
        worst_part));
  return notes;
}

/// Rows whose exact products are computed: all, if kExactProducts allows it, otherwise rows at equal distances.
std::vector<int64_t> rows_looked_at(const GemmCase& c) {
  const int64_t room = std::max<int64_t>(1, kExactProducts / std::max<int64_t>(1, c.n * c.k)), count = std::min(c.m, room);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < count; ++i) rows.push_back(i * c.m / count);
  return rows;
}

/// Copies the given rows of d.
HostTensor rows_of(const HostTensor& d, const std::vector<int64_t>& rows) {
  const int64_t n = d.spec.shape[1];
  HostTensor some{dense("d", Role::kOutput, *d.spec.format, {int64_t(rows.size()), n}), {}};
  some.bytes.resize(some.spec.bytes());
  byte_rows(some) = byte_rows(d)(rows, Eigen::all);
  return some;
}

/// Describes the contract in words: instruction, promotion, scales and split-K.
std::string contract_words(const GemmCase& c) {
  std::vector<DotProgram> programs = dot_programs(c.contract, c.k);
  DotProgram whole = programs.front();
  whole.name.clear();
  std::string cuts;
  for (const DotProgram& program : programs)
    if (!program.name.empty()) cuts += (cuts.empty() ? "" : ", or ") + program.name;
  return fmt::format("the contract computes d with {}{}", dot_way_words(c.contract, whole), cuts.empty() ? "" : "; k cut as " + cuts);
}

}  // namespace

std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const std::vector<int64_t> rows = rows_looked_at(c);
  const HostTensor& d = find(outputs, "d");
  std::vector<std::string> notes;
  if (int64_t(rows.size()) == c.m || c.groups.any())
    notes = remarks(c, problem, c.runs(0, int64_t(rows.size())), d);
  else
    notes = remarks(c.resized(int64_t(rows.size()), c.n), gemm_with_rows(c, problem, rows), {{0, int64_t(rows.size()), 0, 0}}, rows_of(d, rows));
  if (int64_t(rows.size()) < c.m) notes.front() = fmt::format("of {} of {} rows: {}", rows.size(), c.m, notes.front());
  if (!c.contract.unknown() || c.contract.of_unknown_unit()) notes.push_back(contract_words(c));
  if (c.contract.unknown()) notes.push_back(error_statistics(c)->words());
  return notes;
}

}  // namespace assay
