#include "reference/exact/correctly_rounded.h"

#include <mpfr.h>

#include <cmath>

#include "reference/formats/round.h"

namespace assay {
namespace {

double approximate(Function function, double x) {
  switch (function) {
    case Function::kExp: return std::exp(x);
    case Function::kExp2: return std::exp2(x);
    case Function::kLog2: return std::log2(x);
    case Function::kRsqrt: return 1 / std::sqrt(x);
    case Function::kSqrt: return std::sqrt(x);
    case Function::kTanh: return std::tanh(x);
    case Function::kErf: return std::erf(x);
  }
  return x;
}

void by_mpfr(Function function, mpfr_t y, mpfr_t x) {
  switch (function) {
    case Function::kExp: mpfr_exp(y, x, MPFR_RNDZ); break;
    case Function::kExp2: mpfr_exp2(y, x, MPFR_RNDZ); break;
    case Function::kLog2: mpfr_log2(y, x, MPFR_RNDZ); break;
    case Function::kRsqrt:
      mpfr_rec_sqrt(y, x, MPFR_RNDZ);
      if (mpfr_zero_p(x) && mpfr_signbit(x)) mpfr_set_inf(y, -1);  // IEEE 754-2019, 9.2.1; MPFR says +Inf
      break;
    case Function::kSqrt: mpfr_sqrt(y, x, MPFR_RNDZ); break;
    case Function::kTanh: mpfr_tanh(y, x, MPFR_RNDZ); break;
    case Function::kErf: mpfr_erf(y, x, MPFR_RNDZ); break;
  }
}

double nearest(const Format& format, double value) { return round_to(format, value, Rounding::kNearestEven, Overflow::kSpecial); }

/// Rounds to odd: a set last bit marks an inexact result, so that a following rounding to a shorter format is a single rounding
/// (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd").
double made_odd(double truncated) {
  int exponent;
  const double significand = std::ldexp(std::frexp(truncated, &exponent), 53);
  const bool even = std::fmod(significand, 2) == 0;
  return even ? std::nextafter(truncated, std::copysign(HUGE_VAL, truncated)) : truncated;
}

}  // namespace

double correctly_rounded_by_mpfr(Function function, double x, const Format& format) {
  mpfr_t in, out;
  mpfr_init2(in, 53);
  mpfr_init2(out, 53);
  mpfr_set_d(in, x, MPFR_RNDN);
  mpfr_clear_flags();
  by_mpfr(function, out, in);
  const bool exact = mpfr_inexflag_p() == 0;
  const double truncated = mpfr_get_d(out, MPFR_RNDZ);
  mpfr_clear(in);
  mpfr_clear(out);
  if (!std::isfinite(truncated)) return truncated;
  return nearest(format, exact ? truncated : made_odd(truncated));
}

double correctly_rounded(Function function, double x, const Format& format) {
  const double y = approximate(function, x);
  if (!std::isfinite(y) || y == 0) return correctly_rounded_by_mpfr(function, x, format);
  // glibc documents at most 2 ulp in double for these functions; a slack of four covers the composed rsqrt
  const double slack = 4 * std::fabs(y) * 0x1p-52;
  const double low = nearest(format, y - slack), high = nearest(format, y + slack);
  return low == high ? low : correctly_rounded_by_mpfr(function, x, format);
}

}  // namespace assay
