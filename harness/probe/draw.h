// Random numbers of a format with a chosen exponent.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "reference/formats/round.h"

namespace assay {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  uint32_t bits() { return uint32_t(random_() >> 16); }
  int below(int n) { return int(random_() % uint64_t(n)); }
  bool coin() { return below(2) == 0; }
  /// Uniform in [low, high]; low if high < low.
  int between(int low, int high) { return high <= low ? low : low + below(high - low + 1); }
  double sign() { return coin() ? 1 : -1; }
  /// 1 <= x < 2 with that many random bits.
  double significand(int bits) { return 1 + std::ldexp(double(random_() & ((uint64_t{1} << bits) - 1)), -bits); }

 private:
  std::mt19937_64 random_;
};

inline int top_exponent(const Format& f) { return std::ilogb(max_finite(f)); }
/// Exponent of the format's smallest subnormal number.
inline int bottom_exponent(const Format& f) { return f.is_integer() ? 0 : f.min_exponent() - f.mantissa_bits; }

/// The code of x, rounded toward zero and limited to the format.
inline uint32_t code_near(const Format& f, double x) {
  if (!f.has_sign()) x = std::fabs(x);
  const double value = round_to(f, x, Rounding::kTowardZero, Overflow::kSaturate);
  return code_of(f, value == 0 && f.specials == Specials::kFnuz ? 0.0 : value);
}

/// A random code of a finite number.
inline uint32_t finite_code(const Format& f, Draw& draw) {
  for (;;) {
    const uint32_t code = draw.bits() & uint32_t(f.code_count() - 1);
    if (std::isfinite(decode(f, code))) return code;
  }
}

}  // namespace assay
