// Expected results from plain loops that a reader can check by hand: values are doubles, and rounding searches all codes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace assay_kernels::oracle {

/// Value of a code with 4 exponent and 3 mantissa bits, without sign.
inline double e4m3_value(int code, int bias) {
  const int exponent = code >> 3, mantissa = code & 7;
  return exponent == 0 ? std::ldexp(mantissa, -2 - bias) : std::ldexp(8 + mantissa, exponent - bias - 3);
}

/// The code in 0..top that is nearest to |v|, ties to the even code.
inline int nearest_e4m3(double v, int bias, int top) {
  int best = 0;
  v = std::fmin(v, 1e4);  // still above the format's range, and small enough to subtract a code's value exactly
  for (int code = 1; code <= top; ++code) {
    const double here = std::fabs(e4m3_value(code, bias) - v), there = std::fabs(e4m3_value(best, bias) - v);
    if (here < there || (here == there && code % 2 == 0)) best = code;
  }
  return best;
}

inline uint8_t e4m3fn_sat(double v) {
  return std::isnan(v) ? 0x7f : uint8_t(nearest_e4m3(std::fabs(v), 7, 0x7e) | (std::signbit(v) ? 0x80 : 0));
}
inline uint8_t e4m3fn_nosat(double v) {
  const uint8_t sign = std::signbit(v) ? 0x80 : 0;
  return std::isnan(v) || std::fabs(v) > 464 ? uint8_t(sign | 0x7f) : e4m3fn_sat(v);
}
inline uint8_t e4m3fnuz_sat(double v) {
  if (std::isnan(v)) return 0x80;
  const int code = nearest_e4m3(std::fabs(v), 8, 0x7f);
  return uint8_t(code | (code != 0 && v < 0 ? 0x80 : 0));
}

inline double bf16_value(uint16_t code) {
  const uint32_t b = uint32_t{code} << 16;
  float f;
  std::memcpy(&f, &b, sizeof f);
  return f;
}

/// Rounds to `precision` bits, ties to even. `least`, `greatest`: smallest and largest exponent. From 2^(greatest + 1) on: Inf.
inline double round_to(double v, int precision, int least, int greatest) {
  if (!std::isfinite(v) || v == 0) return v;
  int e = std::ilogb(v);
  if (e < least) e = least;
  const double step = std::ldexp(1.0, e - precision + 1);
  const double rounded = std::nearbyint(v / step) * step;
  return std::fabs(rounded) >= std::ldexp(1.0, greatest + 1) ? std::copysign(std::numeric_limits<double>::infinity(), v)
                                                             : rounded;
}
inline double round_bf16(double v) { return round_to(v, 8, -126, 127); }
inline double round_f16(double v) { return round_to(v, 11, -14, 15); }

}  // namespace assay_kernels::oracle
