// Real numbers for tests: MPFR with about 400 bits, and one rounding to a format by MPFR. A definition such as "a real function,
// then one rounding" can be written directly, without code of the reference.
#pragma once

#include <mpfr.h>

#include <boost/multiprecision/mpfr.hpp>
#include <cmath>

#include "reference/formats/format.h"

namespace assay {

/// Sums, differences and products of f32 numbers are exact; quotients and functions are correctly rounded to 400 bits.
using Real = boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<120>, boost::multiprecision::et_off>;

/// Rounds `x` to a floating-point format with MPFR's precision, exponent range and gradual underflow. NaN stays NaN. Overflow is
/// Inf, or the largest number if `mode` rounds toward it. A zero keeps the sign of `x`.
inline double rounded(const Format& format, const Real& x, mpfr_rnd_t mode) {
  mpfr_t y;
  mpfr_init2(y, format.precision());
  int ternary = mpfr_set(y, x.backend().data(), mode);
  const mpfr_exp_t lowest = mpfr_get_emin(), highest = mpfr_get_emax();
  mpfr_set_emin(format.min_exponent() - format.mantissa_bits + 1);  // MPFR significands are in [1/2, 1)
  mpfr_set_emax(std::ilogb(max_finite(format)) + 1);
  ternary = mpfr_check_range(y, ternary, mode);
  mpfr_subnormalize(y, ternary, mode);
  const double result = mpfr_get_d(y, MPFR_RNDN);
  mpfr_set_emin(lowest);
  mpfr_set_emax(highest);
  mpfr_clear(y);
  if (std::isinf(result) || !(std::fabs(result) > max_finite(format))) return result;
  // The format has fewer numbers than the exponent range: the largest code of the "fn" formats is NaN.
  return mode == MPFR_RNDZ ? std::copysign(max_finite(format), result) : std::copysign(HUGE_VAL, result);
}

inline double nearest(const Format& format, const Real& x) { return rounded(format, x, MPFR_RNDN); }

/// One MPFR function of one or two reals, in 400 bits. MPFR treats NaN, Inf and zeros as IEEE 754 does.
inline Real in_reals(int function(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t), const Real& x) {
  Real y;
  function(y.backend().data(), x.backend().data(), MPFR_RNDN);
  return y;
}
inline Real in_reals(int function(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t), const Real& a, const Real& b) {
  Real y;
  function(y.backend().data(), a.backend().data(), b.backend().data(), MPFR_RNDN);
  return y;
}

/// Equal numbers with the same sign of zero, or both NaN.
inline bool same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace assay
