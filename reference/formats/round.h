// Rounding a real number to a format: a grid, a rule for the neighbours, a rule for what does not fit.
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

/// The value of `format` that `value` becomes. NaN stays NaN. A format without -0 gives +0.
/// Source: IEEE 754-2019 section 4.3; saturation as in OCP OFP8 v1.0, section 5.
double round_to(const Format& format, double value, Rounding rounding, Overflow overflow);

/// The next value of the format above or below; Inf (or the largest value, where there is none) at the end.
double next_up(const Format& format, double value);
double next_down(const Format& format, double value);

}  // namespace assay
