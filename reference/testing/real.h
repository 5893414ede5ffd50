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

/// `x` in a floating-point format, by MPFR's own precision, exponent range and gradual underflow. NaN stays; what is too large becomes
/// Inf, or the largest number if `mode` rounds it inward. A zero has the sign of `x`.
inline double rounded(const Format& format, const Real& x, mpfr_rnd_t mode) {
  mpfr_t y;
  mpfr_init2(y, format.precision());
  int ternary = mpfr_set(y, x.backend().data(), mode);
  const mpfr_exp_t lowest = mpfr_get_emin(), highest = mpfr_get_emax();
  mpfr_set_emin(format.min_exponent() - format.mantissa_bits + 1);  // MPFR's significands lie in [1/2, 1)
  mpfr_set_emax(std::ilogb(max_finite(format)) + 1);
  ternary = mpfr_check_range(y, ternary, mode);
  mpfr_subnormalize(y, ternary, mode);
  const double result = mpfr_get_d(y, MPFR_RNDN);
  mpfr_set_emin(lowest);
  mpfr_set_emax(highest);
  mpfr_clear(y);
  if (std::isinf(result) || !(std::fabs(result) > max_finite(format))) return result;
  // Fewer numbers than the exponent range holds: the top one is the NaN of the "fn" formats.
  return mode == MPFR_RNDZ ? std::copysign(max_finite(format), result) : std::copysign(HUGE_VAL, result);
}

inline double nearest(const Format& format, const Real& x) { return rounded(format, x, MPFR_RNDN); }

/// One MPFR function of one or two reals, in 400 bits; the rules for NaN, Inf and zeros are MPFR's, which are those of IEEE 754.
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

/// Equal as numbers, with the same sign of zero, or both NaN.
inline bool same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace assay
