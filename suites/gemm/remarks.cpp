#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/dot/exact_dot.h"
#include "reference/flow/dot/dot_text.h"
#include "reference/formats/round.h"
#include "suites/gemm/operands.h"
#include "suites/gemm/statistics.h"
#include "suites/gemm/words.h"

namespace assay {
namespace {

/// Takes some hundredths of a second on one core.
constexpr int64_t kExactProducts = int64_t{1} << 27;

/// Bounds on the losses of the variants that may have made the result; empty if some instruction has no bound.
std::vector<AccumulatorModel> models_of(const DotContract& contract) {
  if (contract.unit.scale) return {};
  std::vector<AccumulatorModel> models;
  const std::vector<DotContract> alone = {contract};
  for (const DotContract& member : contract.unknown() ? contract.members : alone) {
    const std::optional<AccumulatorModel> model = accumulator_model(member.unit, member.promote);
    if (!model) return {};
    models.push_back(*model);
  }
  return models;
}

std::vector<std::string> remarks(const GemmCase& c, const Problem& problem, const HostTensor& d) {
  const DotInputs inputs = gemm_inputs(c, problem);
  const auto size = size_t(c.m * c.n);
  std::vector<double> value(size), error(size), bound(size), magnitudes(size);
  DotOutputs wanted;
  wanted.value = value;
  wanted.error = error;
  wanted.absolute_sum = magnitudes;
  const std::vector<AccumulatorModel> models = models_of(c.contract);
  const bool has_bound = !models.empty();
  if (has_bound) wanted.model = models.front(), wanted.bound = bound;
  const DotProblem product{operand_a(c, problem, inputs), operand_b(c, problem, inputs), c.k};
  exact_dot(product, {0, c.m, 0, c.n}, wanted);
  for (size_t other = 1; other < models.size(); ++other) {  // use the bound of the variant that may lose most
    std::vector<double> of_other(size);
    DotOutputs another;
    another.model = models[other], another.bound = of_other;
    exact_dot(product, {0, c.m, 0, c.n}, another);
    for (size_t i = 0; i < size; ++i) bound[i] = std::max(bound[i], of_other[i]);
  }
  for (size_t i = 0; i < size && !(inputs.outer_a.values.empty() && inputs.outer_b.values.empty()); ++i) {
    const double outer = outer_scale(inputs, int64_t(i) / c.n, int64_t(i) % c.n);
    value[i] *= outer, error[i] *= std::fabs(outer), magnitudes[i] *= std::fabs(outer);
    if (has_bound) bound[i] *= std::fabs(outer);
  }
  double worst_ulps = 0, worst_part = 0, errors = 0, squares = 0;
  int64_t above = 0, below = 0, normalized = 0, finite = 0;
  for (size_t i = 0; i < size; ++i) {
    const double exact = value[i] + beside_product(c, inputs, int64_t(i) / c.n, int64_t(i) % c.n),
                 got = decode(*c.y, d.code(int64_t(i)));
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
  if (finite == 0) return {"of no element are both the result and the exact product finite"};
  std::vector<std::string> notes = {
      fmt::format("beside the exact product the worst element is {:.3g} ulp of {} off; {} elements are too large in magnitude, "
                  "{} too small{}",
                  worst_ulps, c.y->name, above, below,
                  finite < int64_t(size) ? fmt::format(", of {} no distance is finite", int64_t(size) - finite) : "")};
  if (normalized > 0) {
    const double bias = errors / double(normalized);
    notes.push_back(
        fmt::format("errors, each divided by the sum of |a * b| of its products: mean {:.3g} (below 0: toward zero), standard "
                    "deviation {:.3g}",
                    bias, std::sqrt(std::max(0.0, squares / double(normalized) - bias * bias))));
  }
  if (has_bound)
    notes.push_back(fmt::format(
        "the worst error is {:.3g} times its bound: what the unit's additions, in any order, and one rounding may lose",
        worst_part));
  return notes;
}

/// Rows whose exact products are computed; all of them if there is time.
std::vector<int64_t> rows_looked_at(const GemmCase& c) {
  const int64_t room = std::max<int64_t>(1, kExactProducts / std::max<int64_t>(1, c.n * c.k)), count = std::min(c.m, room);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < count; ++i) rows.push_back(i * c.m / count);
  return rows;
}

/// Copies the selected rows of d.
HostTensor rows_of(const HostTensor& d, const std::vector<int64_t>& rows) {
  const int64_t n = d.spec.shape[1];
  HostTensor some{dense("d", Role::kOutput, *d.spec.format, {int64_t(rows.size()), n}), {}};
  some.bytes.resize(some.spec.bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    for (int64_t column = 0; column < n; ++column) some.set_code(int64_t(i) * n + column, d.code(rows[i] * n + column));
  return some;
}

/// Describes the contract: instruction, promotion, scales, possible split-K.
std::string contract_words(const GemmCase& c) {
  std::vector<DotProgram> programs = dot_programs(c.contract, c.k);
  DotProgram whole = programs.front();
  whole.name.clear();
  std::string cuts;
  for (const DotProgram& program : programs)
    if (!program.name.empty()) cuts += (cuts.empty() ? "" : ", or ") + program.name;
  return fmt::format("by its contract d is {}{}", dot_way_words(c.contract, whole), cuts.empty() ? "" : "; k cut as " + cuts);
}

}  // namespace

std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const std::vector<int64_t> rows = rows_looked_at(c);
  const HostTensor& d = find(outputs, "d");
  std::vector<std::string> notes;
  if (int64_t(rows.size()) == c.m) {
    notes = remarks(c, problem, d);
  } else {
    GemmCase fewer = c;
    fewer.m = int64_t(rows.size());
    notes = remarks(fewer, gemm_with_rows(c, problem, rows), rows_of(d, rows));
    notes.front() = fmt::format("of {} of {} rows: {}", rows.size(), c.m, notes.front());
  }
  if (!c.contract.unknown() || c.contract.of_unknown_unit()) notes.push_back(contract_words(c));
  if (c.contract.unknown()) notes.push_back(error_statistics(c)->words());
  return notes;
}

}  // namespace assay
