// Real numbers for tests: MPFR with about 400 bits, and one rounding to a format by MPFR's own means. With it a definition "a real
// function, then one rounding" is written down literally, with nothing of the reference in it.
#pragma once

#include <mpfr.h>

#include <boost/multiprecision/mpfr.hpp>
#include <cmath>

#include "reference/formats/format.h"

namespace assay {

/// Sums, differences and products of f32 numbers are exact; quotients and functions are correctly rounded to 400 bits.
using Real = boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<120>, boost::multiprecision::et_off>;

/// Nearest even number of a floating-point format: precision and exponent range are MPFR's, and so is gradual underflow. NaN stays,
/// what is too large becomes Inf. A zero has the sign of `x`.
inline double nearest(const Format& format, const Real& x) {
  mpfr_t y;
  mpfr_init2(y, format.precision());
  int ternary = mpfr_set(y, x.backend().data(), MPFR_RNDN);
  const mpfr_exp_t lowest = mpfr_get_emin(), highest = mpfr_get_emax();
  mpfr_set_emin(format.min_exponent() - format.mantissa_bits + 1);  // MPFR's significands lie in [1/2, 1)
  mpfr_set_emax(std::ilogb(max_finite(format)) + 1);
  ternary = mpfr_check_range(y, ternary, MPFR_RNDN);
  mpfr_subnormalize(y, ternary, MPFR_RNDN);
  const double rounded = mpfr_get_d(y, MPFR_RNDN);
  mpfr_set_emin(lowest);
  mpfr_set_emax(highest);
  mpfr_clear(y);
  return std::fabs(rounded) > max_finite(format) ? std::copysign(HUGE_VAL, rounded) : rounded;
}

/// Equal as numbers, with the same sign of zero, or both NaN.
inline bool same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace assay
