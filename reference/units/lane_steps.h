// The steps done once per block, in doubles, on half the lanes at a time. Exact except for the roundings of the unit. Included by
// loops.h only.
#pragma once

#include "reference/formats/fields.h"
#include "reference/units/plan.h"
#include "reference/units/vectors.h"

namespace assay {
namespace {

/// Clamps exponents to the range of doubles. Terms that far below the largest exponent keep no bit anyway.
inline Longs near_enough(Longs exponents) { return exponents < -800 ? Longs{} - 800 : exponents; }
inline Doubles power(Longs exponents) { return powers_of_two<Doubles>(exponents); }

/// Integer roundings of numbers below 2^51: to nearest with ties to even, toward -Inf, toward zero.
inline Doubles to_nearest(Doubles x) { return (x + 0x1.8p52) - 0x1.8p52; }
inline Doubles down(Doubles x) {
  const Doubles near = to_nearest(x);
  return near > x ? near - 1 : near;
}
inline Doubles toward_zero(Doubles x) {
  const Doubles whole = down(magnitude(x));
  return x < 0 ? -whole : whole;
}
inline Doubles lost(BitLoss loss, Doubles x) { return loss == BitLoss::kFloor ? down(x) : toward_zero(x); }

/// Rounds the result, once.
class Rounder {
 public:
  explicit Rounder(const UnitPlan& plan) : Rounder(plan, plan.unit->rounding, plan.last_place) {}
  Rounder(const UnitPlan& plan, ResultRounding rounding, double last_place)
      : nearest_(rounding == ResultRounding::kNearestEven),
        least_normal_(plan.least_normal),
        last_place_(last_place),
        beyond_(plan.beyond),
        flush_below_(plan.unit->flush ? plan.least_normal : 0) {}

  Doubles operator()(Doubles x) const {
    const Doubles step = quanta<Longs>(x, least_normal_, last_place_), steps = x / step;
    const Doubles r = (nearest_ ? to_nearest(steps) : toward_zero(steps)) * step, size = magnitude(r);
    const Doubles kept = size < flush_below_ ? Doubles{} : r,
                  infinite = x < 0 ? Doubles{} - __builtin_inf() : Doubles{} + __builtin_inf();
    return size >= beyond_ ? infinite : kept + 0.0;  // -0 becomes +0
  }

 private:
  bool nearest_;
  double least_normal_, last_place_, beyond_, flush_below_;
};

/// Exponent of c per lane; a c of 0 has the least exponent if zeros count, otherwise one below all others.
inline Ints exponents_of_c(const UnitPlan& plan, Floats c, bool zeros_count) {
  const Ints least = Ints{} + plan.unit->d->min_exponent(), e = larger(exponents_of<Ints>(c), least);
  return zeros_count ? e : c == 0 ? Ints{} + 4 * kZeroExponent : e;
}

/// Sum plus c, both in units of 2^(largest - fraction_bits).
inline Doubles aligned_half(const Unit& unit, Doubles sum, Longs largest, Doubles c) {
  const Longs place = near_enough(largest) - unit.fraction_bits;
  return (sum + lost(unit.loss, c * power(-place))) * power(place);
}

/// Adds c to a sum in units of 2^(of_sum - bits), after aligning both to the larger exponent.
inline Doubles joined_half(const Unit& unit, Doubles sum, int bits, Longs of_sum, Longs of_c, Doubles c) {
  const Longs largest = of_sum > of_c ? of_sum : of_c;
  const Doubles s = lost(unit.c_loss, sum * power(near_enough(of_sum - largest) + (unit.sum_fraction_bits - bits)));
  const Doubles t = lost(unit.c_loss, c * power(unit.c_fraction_bits - largest));
  const Doubles kept = unit.c_drop == 0 ? t : of_c < largest - unit.c_drop ? Doubles{} : t;
  return s * power(largest - unit.sum_fraction_bits) + kept * power(largest - unit.c_fraction_bits);
}

/// IEEE 754 addition c + x in d. A double holds the sum of two f32 with enough bits (53 >= 2 * 24 + 2), and the sum of two f16
/// exactly. A result that underflows to zero keeps its sign.
inline Doubles added_half(const Rounder& round, Doubles c, Doubles x) {
  const Doubles sum = c + x, r = round(sum), zero = sum < 0 ? -Doubles{} : Doubles{};
  const Doubles result = r == 0 ? (sum == 0 ? sum : zero) : r;
  return magnitude(sum) < __builtin_inf() ? result : sum;
}

}  // namespace
}  // namespace assay
