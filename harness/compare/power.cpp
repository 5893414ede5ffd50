#include "harness/compare/power.h"

#include <cmath>

#include "harness/compare/element.h"

namespace assay {
namespace {

/// Nonzero magnitudes below this are subnormal; 0 for formats without subnormals.
double smallest_normal(const Format& format) {
  const bool has_subnormals = !format.is_integer() && format.specials != Specials::kScale && format.specials != Specials::kBits;
  return has_subnormals ? std::ldexp(1.0, format.min_exponent()) : 0;
}

}  // namespace

DataPower data_power(const WholePart& expected) {
  const Format& format = *expected.part.format;
  DataPower power{expected.part.label(), std::string(format.name), expected.part.elements(), {}, 0, 0, 0};
  const double normal = smallest_normal(format), largest = max_finite(format);
  for (int64_t i = 0; i < expected.part.elements(); ++i) {
    const Interval accepted = expected.at(i);
    if (accepted.any()) continue;
    const uint32_t code = code_from_ordinal(format, accepted.low);
    const double a = decode(format, code), b = accepted.single() ? a : decode(format, code_from_ordinal(format, accepted.high));
    if (accepted.single() && format.bits == 8) power.codes.set(code);
    power.not_a_number += std::isnan(a);
    if (a * b > 0 && format.specials != Specials::kBits) {  // same sign; neither is zero or NaN
      power.subnormal += std::fmax(std::fabs(a), std::fabs(b)) < normal;
      power.saturated += std::fmin(std::fabs(a), std::fabs(b)) == largest;
    }
  }
  return power;
}

}  // namespace assay
