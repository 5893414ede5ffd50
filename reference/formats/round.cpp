#include "reference/formats/round.h"

#include <algorithm>
#include <cmath>

#include "reference/formats/quantum.h"

namespace assay {
namespace {

double to_integer(double steps, Rounding rounding) {
  switch (rounding) {
    case Rounding::kNearestEven: return std::nearbyint(steps);
    case Rounding::kNearestAway: return std::round(steps);
    case Rounding::kTowardZero: return std::trunc(steps);
    case Rounding::kDown: return std::floor(steps);
    case Rounding::kUp: return std::ceil(steps);
  }
  return steps;
}

double overflowed(const Format& f, double sign, Overflow overflow) {
  if (overflow == Overflow::kSaturate || f.specials == Specials::kFinite) return std::copysign(max_finite(f), sign);
  return f.specials == Specials::kIeee ? std::copysign(HUGE_VAL, sign) : std::nan("");
}

double round_integer(const Format& f, double value, Rounding rounding) {
  return std::clamp(to_integer(value, rounding), -max_finite(f) - 1, max_finite(f));
}

/// For a format with only an exponent: the smallest value is the smallest power of two, not zero.
double round_scale(const Format& f, double value, Rounding rounding, Overflow overflow) {
  if (std::isinf(value)) return overflowed(f, 1.0, overflow);
  const double smallest = power_of_two(f.min_exponent());
  if (value <= smallest) return smallest;
  const double below = power_of_two(std::ilogb(value));
  const bool up = rounding == Rounding::kUp               ? value > below
                  : rounding == Rounding::kNearestAway    ? value >= 1.5 * below
                  : rounding == Rounding::kNearestEven    ? value >= 1.5 * below
                                                          : false;
  const double rounded = up ? 2 * below : below;
  if (rounded <= max_finite(f)) return rounded;
  const bool inward = rounding == Rounding::kTowardZero || rounding == Rounding::kDown;
  return inward ? max_finite(f) : overflowed(f, 1.0, overflow);
}

}  // namespace

double round_to(const Format& f, double value, Rounding rounding, Overflow overflow) {
  if (std::isnan(value)) return value;
  if (f.is_integer()) return round_integer(f, value, rounding);
  if (f.specials == Specials::kScale) return round_scale(f, std::fabs(value), rounding, overflow);
  if (!f.has_sign()) value = std::fabs(value);
  if (std::isinf(value)) return overflowed(f, value, overflow);
  const double step = quantum(value, power_of_two(f.min_exponent()), power_of_two(-f.mantissa_bits));
  const double rounded = to_integer(value / step, rounding) * step;
  if (std::fabs(rounded) > max_finite(f)) {
    const bool inward = rounding == Rounding::kTowardZero || (rounding == Rounding::kDown && value > 0) ||
                        (rounding == Rounding::kUp && value < 0);
    return inward ? std::copysign(max_finite(f), value) : overflowed(f, value, overflow);
  }
  if (rounded == 0) return f.specials == Specials::kFnuz ? 0.0 : std::copysign(0.0, value);
  return rounded;
}

double next_up(const Format& f, double value) {
  if (std::isnan(value) || value == HUGE_VAL) return value;
  if (std::isinf(value)) return -max_finite(f);
  if (value == max_finite(f)) return f.specials == Specials::kIeee ? HUGE_VAL : value;
  if (f.is_integer()) return value + 1;
  if (value == 0) return decode(f, 1);
  const int32_t next = ordinal_of_value(f, value) + 1;
  if (next == -1) return f.specials == Specials::kFnuz ? 0.0 : -0.0;
  return decode(f, code_from_ordinal(f, next));
}

double next_down(const Format& f, double value) {
  if (std::isnan(value)) return value;
  if (f.is_integer()) return value == -max_finite(f) - 1 ? value : value - 1;
  if (!f.has_sign()) {
    const int32_t o = ordinal_of_value(f, value);
    return o == 0 ? value : decode(f, code_from_ordinal(f, o - 1));
  }
  const double next = -next_up(f, -value);
  return next == 0 ? 0.0 : next;
}

}  // namespace assay
