// The codes that one element may have.
#pragma once

#include <cstdint>
#include <limits>

#include "reference/formats/format.h"

namespace assay {

/// Consecutive ordinals of a format (reference/formats/format.h), both ends included.
struct Interval {
  int32_t low = 0, high = 0;

  /// Accepts everything: the element is not checked, and the report counts it.
  static constexpr Interval anything() { return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}; }
  constexpr bool any() const { return *this == anything(); }
  constexpr bool single() const { return low == high; }

  /// Whether an element of that format may have the code with ordinal `o`. If an interval of numbers ends at the largest ordinal
  /// (the ordinal of NaN), NaN is accepted only if the interval also begins there. Integers have no NaN.
  constexpr bool holds(const Format& format, int32_t o) const {
    if (any()) return true;
    const bool is_nan = o == kNanOrdinal && !format.is_integer();
    return low <= o && o <= high && (!is_nan || low == kNanOrdinal);
  }
  constexpr bool meets(Interval other) const { return low <= other.high && other.low <= high; }
  constexpr bool operator==(const Interval&) const = default;
};

}  // namespace assay
