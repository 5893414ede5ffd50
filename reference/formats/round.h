// Rounds a real number to a format: a grid, a rounding rule and an overflow rule.
#pragma once

#include <optional>
#include <string_view>

#include "reference/formats/format.h"

namespace assay {

enum class Rounding { kNearestEven, kNearestAway, kTowardZero, kDown, kUp };

enum class Overflow {
  kSaturate,  ///< the largest finite value, also for Inf
  kSpecial    ///< Inf where the format has one, else NaN
};

/// The rounded value. NaN stays NaN. A format without -0 gives +0. Source: IEEE 754-2019 section 4.3; saturation as in OCP OFP8
/// v1.0, section 5.
double round_to(const Format& format, double value, Rounding rounding, Overflow overflow);

/// The next larger (smaller) value of the format; Inf at the end, or the largest value if there is no Inf.
double next_up(const Format& format, double value);
double next_down(const Format& format, double value);

}  // namespace assay
