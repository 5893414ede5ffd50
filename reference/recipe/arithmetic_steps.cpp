#include "reference/recipe/arithmetic_steps.h"

#include <cmath>

#include "reference/recipe/elementary.h"
#include "reference/recipe/freedom.h"
#include "reference/recipe/fused.h"

namespace assay {

Lane lane(const std::string& name, const RowPart& part, const Environment& environment) {
  const Environment::Value& value = environment.get(name);
  if (!value.row) return {&value.scalar.low, &value.scalar.high, true};
  const double* low = value.row->low.data() + part.first;
  return {low, value.row->pinned() ? low : value.row->high.data() + part.first, false};
}

Lane lane(const Operand& operand, const RowPart& part, const Environment& environment) {
  if (operand.name.empty()) return {&operand.constant, &operand.constant, true};
  return lane(operand.name, part, environment);
}

namespace {

/// An operand for a part of a row; holds the result if it is a product of two quantities.
class OperandOf {
 public:
  OperandOf(const Step& step, const RowPart& part, const Environment& environment)
      : lane_(assay::lane(step.a, part, environment)) {
    if (step.a.times.empty()) return;
    const Lane other = assay::lane(step.a.times, part, environment);
    const Grid grid = grid_of(*step.working, Overflow::kSpecial);
    const bool pinned = lane_.low == lane_.high && other.low == other.high;
    product_.low = copied(lane_.low, part.size);
    if (pinned) {
      lanes().arithmetic(Verb::kMul, grid, product_.low.data(), other, part.size);
      lane_ = {product_.low.data(), product_.low.data(), false};
      return;
    }
    product_.high = copied(lane_.high, part.size);
    lanes().arithmetic_spans(Verb::kMul, grid, product_.low.data(), product_.high.data(), other, part.size);
    lane_ = {product_.low.data(), product_.high.data(), false};
  }
  OperandOf(const OperandOf&) = delete;
  OperandOf& operator=(const OperandOf&) = delete;

  const Lane& lane() const { return lane_; }
  Span operator[](size_t i) const { return {lane_.low[lane_.scalar ? 0 : i], lane_.high[lane_.scalar ? 0 : i]}; }

 private:
  std::vector<double> copied(const double* ends, size_t size) const {
    return lane_.scalar ? std::vector<double>(size, *ends) : std::vector<double>(ends, ends + size);
  }
  Lane lane_;
  Spans product_;
};

/// The sum of two integers. An interval may only wrap as a whole.
Span integer_sum(const Step& step, Span v, Span a) {
  if (v.any() || a.any()) return any_number();
  const Format& format = *step.working;
  const auto integer = [&](double x) {
    return std::isnan(x) ? 0 : round_to(format, x, Rounding::kNearestEven, Overflow::kSaturate);
  };
  v = {integer(v.low), integer(v.high)}, a = {integer(a.low), integer(a.high)};
  const double low = v.low + a.low, high = v.high + a.high;
  const double lowest = round_to(format, low, Rounding::kNearestEven, Overflow::kSaturate);
  const double highest = round_to(format, high, Rounding::kNearestEven, Overflow::kSaturate);
  if (step.beyond == BeyondInteger::kSaturate || (lowest == low && highest == high)) return {lowest, highest};
  return low == high ? point(low_bits(format, low)) : any_number();
}

void add_integers(const Step& step, const RowPart& part, const Lane& b) {
  for (size_t i = 0; i < part.size; ++i) {
    const size_t at = b.scalar ? 0 : i;
    part.set(i, integer_sum(step, part[i], {b.low[at], b.high[at]}));
  }
}

Span negated(Span span) { return {-span.high, -span.low}; }

}  // namespace

void arithmetic(const Step& step, const RowPart& part, const Environment& environment) {
  const OperandOf operand(step, part, environment);
  const Lane& b = operand.lane();
  if (step.working->is_integer()) return add_integers(step, part, b);
  const Grid grid = grid_of(*step.working, Overflow::kSpecial);
  if (part.pinned())
    lanes().arithmetic(step.verb, grid, part.low, b, part.size);
  else
    lanes().arithmetic_spans(step.verb, grid, part.low, part.high, b, part.size);
}

void multiply_add(const Step& step, const RowPart& part, const Environment& environment) {
  const OperandOf factor(step, part, environment);
  const Lane b = lane(step.b, part, environment);
  if (part.pinned()) return lanes().fma(part.low, factor.lane(), b, part.size);
  for (size_t i = 0; i < part.size; ++i) {
    const size_t at = b.scalar ? 0 : i;
    part.set(i, fused(part[i], factor[i], {b.low[at], b.high[at]}));
  }
}

ProductBeforeSum::ProductBeforeSum(const Step& mul, const RowPart& part, const Environment& environment) : number(copy_of(part)) {
  const OperandOf factor(mul, part, environment);
  for (size_t i = 0; i < part.size; ++i) low.push_back(factor[i].low), high.push_back(factor[i].high);
}

void contracted_sum(const Step& step, const RowPart& part, const Environment& environment,
                    const std::optional<ProductBeforeSum>& before) {
  const OperandOf operand(step, part, environment);
  const Spans v = copy_of(part);
  arithmetic(step, part, environment);
  const bool subtracts = step.verb == Verb::kSub;
  const auto signed_span = [&](Span span) { return subtracts ? negated(span) : span; };
  const auto put_either = [&](size_t i, Span other) { part.set(i, either(part[i], other)); };
  if (!step.a.times.empty()) {
    const Lane a = lane(step.a.name, part, environment), b = lane(step.a.times, part, environment);
    const auto at = [](const Lane& lane, size_t i) {
      return Span{lane.low[lane.scalar ? 0 : i], lane.high[lane.scalar ? 0 : i]};
    };
    for (size_t i = 0; i < part.size; ++i) put_either(i, fused(signed_span(at(a, i)), at(b, i), v[i]));
  }
  if (!before) return;
  for (size_t i = 0; i < part.size; ++i) put_either(i, fused(before->number[i], before->factor(i), signed_span(operand[i])));
}

}  // namespace assay
