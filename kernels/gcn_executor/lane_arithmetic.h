// Arithmetic of one lane. It is written so that compilers vectorize it, and so that every build gives the same bits. Included by
// lane_code.cpp, and by memory.cpp for atomics.
//
// A NaN result is the first NaN source, made quiet, or 0x7fc00000 if no source is NaN. Host CPUs choose other NaNs, so settle()
// replaces them. Subnormals are kept here; another pass over the results flushes them. Rounding is to nearest even.
#pragma once

#include "kernels/gcn_executor/wave.h"

namespace assay_gcn {
namespace {

// f, d and h: the f32, f64 and f16 value of these bits. b and b64: the bits of a value.
inline float f(u32 x) { return __builtin_bit_cast(float, x); }
inline u32 b(float x) { return __builtin_bit_cast(u32, x); }
inline double d(u64 x) { return __builtin_bit_cast(double, x); }
inline u64 b64(double x) { return __builtin_bit_cast(u64, x); }
inline bool is_nan(u32 x) { return (x & 0x7FFFFFFFu) > 0x7F800000u; }
inline bool is_infinite(u32 x) { return (x & 0x7FFFFFFFu) == 0x7F800000u; }
inline bool is_nan64(u64 x) { return (x & ~(u64{1} << 63)) > 0x7FF0000000000000u; }
inline u32 quiet(u32 x) { return is_nan(x) ? x | 0x400000u : x; }

/// Returns the bits of r, the result for the sources x, y and z. A NaN is replaced by the rule above.
inline u32 settle(float r, u32 x, u32 y = 0, u32 z = 0) {
  const u32 nan = is_nan(x) ? x | 0x400000u : is_nan(y) ? y | 0x400000u : is_nan(z) ? z | 0x400000u : 0x7FC00000u;
  return r != r ? nan : b(r);
}
inline u64 settle64(double r, u64 x, u64 y = 0, u64 z = 0) {
  constexpr u64 kQuiet = u64{1} << 51;
  const u64 nan = is_nan64(x) ? x | kQuiet : is_nan64(y) ? y | kQuiet : is_nan64(z) ? z | kQuiet : 0x7FF8000000000000u;
  return r != r ? nan : b64(r);
}
inline u32 fma32(u32 x, u32 y, u32 z) { return settle(__builtin_fmaf(f(x), f(y), f(z)), x, y, z); }

/// True for a signalling NaN in IEEE mode: a maximum or minimum then returns it, made quiet.
inline bool is_signalling(u32 x, const State& m) { return is_nan(x) && (x & 0x400000u) == 0 && (m.mode & kIeee) != 0; }
inline bool is_signalling64(u64 x, const State& m) { return is_nan64(x) && (x & u64{1} << 51) == 0 && (m.mode & kIeee) != 0; }

/// Returns a maximum or minimum: `number` if no source is NaN. If one source is a quiet NaN, the result is the other source. In
/// IEEE mode, a signalling NaN is the result, made quiet. Written with few operations, because v_max is frequent.
inline u32 extreme(u32 number, u32 x, u32 y, const State& m) {
  const u32 silent = (m.mode & kIeee) != 0 ? 0x7FBFFFFFu : 0x7F800000u;  // NaNs with larger magnitude bits lose against numbers
  const u32 of_y = is_nan(y) ? ((y & 0x7FFFFFFFu) > silent ? x : y | 0x400000u) : number;
  return is_nan(x) ? ((x & 0x7FFFFFFFu) > silent ? quiet(y) : x | 0x400000u) : of_y;
}
/// The maximum of x and y; -0 counts as less than +0.
inline u32 larger(u32 x, u32 y, const State& m) { return extreme(f(x) > f(y) ? x : f(x) == f(y) ? x & y : y, x, y, m); }
inline u32 smaller(u32 x, u32 y, const State& m) { return extreme(f(x) < f(y) ? x : f(x) == f(y) ? x | y : y, x, y, m); }
/// The median of three. If a source is NaN, returns the minimum of the three, as the ISA specifies.
inline u32 median(u32 x, u32 y, u32 z, const State& m) {
  const u32 least = smaller(smaller(x, y, m), z, m), low = smaller(x, y, m), high = larger(x, y, m);
  return is_nan(x) || is_nan(y) || is_nan(z) ? least : larger(low, smaller(high, z, m), m);
}
inline u64 larger64(u64 x, u64 y, const State& m) {
  const u64 r = d(x) > d(y) ? x : d(x) == d(y) ? x & y : y;
  const u64 number = is_nan64(x) ? (is_nan64(y) ? settle64(d(y), y) : y) : is_nan64(y) ? x : r;
  return is_signalling64(x, m) ? settle64(d(x), x) : is_signalling64(y, m) ? settle64(d(y), y) : number;
}
inline u64 smaller64(u64 x, u64 y, const State& m) {
  const u64 r = d(x) < d(y) ? x : d(x) == d(y) ? x | y : y;
  const u64 number = is_nan64(x) ? (is_nan64(y) ? settle64(d(y), y) : y) : is_nan64(y) ? x : r;
  return is_signalling64(x, m) ? settle64(d(x), x) : is_signalling64(y, m) ? settle64(d(y), y) : number;
}

// ---- narrow formats

/// Rounds the magnitude of an f32 to nearest even in a format with this exponent bias and number of mantissa bits. Returns the
/// code. This code may be larger than the format's largest code.
template <int kBias, int kMantissa>
inline u32 narrowed(u32 magnitude) {
  constexpr u32 kSmallestNormal = static_cast<u32>(127 + 1 - kBias) << 23;
  // a power of two whose ulp is the format's smallest subnormal
  constexpr float kUnit = __builtin_bit_cast(float, static_cast<u32>(127 + 1 - kBias - kMantissa + 23) << 23);
  const u32 subnormal = b(f(magnitude) + kUnit) - b(kUnit);
  const u32 odd = magnitude >> (23 - kMantissa) & 1;
  const u32 normal =
      (magnitude - (static_cast<u32>(127 - kBias) << 23) + ((1u << (22 - kMantissa)) - 1) + odd) >> (23 - kMantissa);
  return magnitude < kSmallestNormal ? subnormal : normal;
}
/// Converts the magnitude of a code to f32.
template <int kBias, int kMantissa>
inline u32 widened(u32 code) {
  constexpr float kShift = __builtin_bit_cast(float, static_cast<u32>(127 + 127 - kBias) << 23);
  return b(f(code << (23 - kMantissa)) * kShift);
}
inline float h(u32 x) {
  const u32 magnitude = x & 0x7FFF, r = widened<15, 10>(magnitude);
  return f((magnitude >= 0x7C00 ? 0x7F800000u | magnitude << 13 : r) | (x & 0x8000) << 16);
}
inline u32 half_bits(u32 u) {
  const u32 magnitude = u & 0x7FFFFFFF, code = narrowed<15, 10>(magnitude);
  const u32 r = is_nan(u) ? 0x7E00 | (magnitude >> 13 & 0x3FF) : code < 0x7C00 ? code : 0x7C00;
  return r | (u >> 16 & 0x8000);
}
/// Converts r, the result for x, y and z, to f16. r must be exact or rounded to odd. With FP16_OVFL, overflow of finite sources saturates.
inline u32 half_of(float r, u32 x, u32 y, u32 z, const State& m) {
  const auto nan = [](u32 c) { return (c & 0x7FFF) > 0x7C00; };
  const auto infinite = [](u32 c) { return (c & 0x7FFF) == 0x7C00; };
  u32 code = half_bits(b(r));
  const bool saturates = (m.mode & kFp16Overflow) != 0 && infinite(code) && !infinite(x) && !infinite(y) && !infinite(z);
  code = saturates ? code - 1 : code;
  const u32 of_nan = nan(x) ? (x & 0xFFFF) | 0x200 : nan(y) ? (y & 0xFFFF) | 0x200 : nan(z) ? (z & 0xFFFF) | 0x200 : 0x7E00;
  return r != r ? of_nan : code;
}
inline u32 half_of_float(u32 x, const State& m) {
  const u32 code = half_bits(x);
  return (m.mode & kFp16Overflow) != 0 && (code & 0x7FFF) == 0x7C00 && !is_infinite(x) ? code - 1 : code;
}
/// Converts an f32 to f16, rounding toward zero.
inline u32 half_cut(u32 x) {
  const u32 code = half_bits(x);
  const bool above = (b(h(code)) & 0x7FFFFFFF) > (x & 0x7FFFFFFF);
  return !is_nan(x) && above ? code - 1 : code;
}
/// x * y + z for f16 values, rounded to odd: to the neighbour with an odd last bit. Rounding this to f16 is a single rounding.
inline float fma_to_odd(float x, float y, float z) {
  const float p = x * y, s = p + z, t = s - p;
  const float error = (p - (s - t)) + (z - t);
  const u32 up = b(s) + 1, down = b(s) - 1;
  const bool outward = (error > 0) == (s > 0);
  const bool fix = error != 0 && error == error && !(b(s) & 1);
  return fix ? f(outward ? up : down) : s;
}
/// Converts a double to f32, rounding to odd.
inline u32 cut_to_odd(double x) {
  const float r = static_cast<float>(x);
  const double back = static_cast<double>(r);
  if (back == x || back != back || back - back != 0) return b(r);
  u32 u = b(r);
  if ((back > x) == (x > 0)) --u;  // step toward zero
  return u | 1;
}
/// x * y + z of f32 values, rounded once to f16.
inline u32 half_of_mixed(u32 x, u32 y, u32 z, const State& m) {
  const double p = static_cast<double>(f(x)) * static_cast<double>(f(y)), c = static_cast<double>(f(z)), s = p + c, t = s - p;
  const double error = (p - (s - t)) + (c - t);
  double odd = s;
  if (error != 0 && error == error && !(b64(s) & 1)) odd = d((error > 0) == (s > 0) ? b64(s) + 1 : b64(s) - 1);
  const u32 r = is_nan(x) || is_nan(y) || is_nan(z) || s != s ? settle(static_cast<float>(s), x, y, z) : cut_to_odd(odd);
  const u32 code = half_bits(r);
  const bool saturates =
      (m.mode & kFp16Overflow) != 0 && (code & 0x7FFF) == 0x7C00 && !is_infinite(x) && !is_infinite(y) && !is_infinite(z);
  return saturates ? code - 1 : code;
}
inline u32 bf16_of(u32 u) { return is_nan(u) ? u >> 16 | 0x40 : (u + 0x7FFF + (u >> 16 & 1)) >> 16; }

/// The 8-bit code of an f32. Overflow and Inf give kOverflow, or NaN in fnuz formats; with FP16_OVFL, they give the largest value.
template <int kBias, int kMantissa, bool kFnuz, u32 kLargest, u32 kOverflow>
inline u32 small_float(u32 x, const State& m) {
  const u32 magnitude = x & 0x7FFFFFFF, sign = x >> 24 & 0x80, code = narrowed<kBias, kMantissa>(magnitude);
  const bool over = magnitude >= 0x7F800000 || code > kLargest;
  const bool saturates = (m.mode & kFp16Overflow) != 0;
  if (kFnuz) {
    const u32 r = over ? (saturates ? kLargest | sign : 0x80) : code == 0 ? 0 : code | sign;
    return is_nan(x) ? 0x80 : r;
  }
  const u32 r = (over ? (saturates ? kLargest : kOverflow) : code) | sign;
  return is_nan(x) ? 0x7F | sign : r;
}
inline u32 fp8_of(u32 x, const State& m) {
  return m.is_gfx950 ? small_float<7, 3, false, 0x7E, 0x7F>(x, m) : small_float<8, 3, true, 0x7F, 0>(x, m);
}
inline u32 bf8_of(u32 x, const State& m) {
  return m.is_gfx950 ? small_float<15, 2, false, 0x7B, 0x7C>(x, m) : small_float<16, 2, true, 0x7F, 0>(x, m);
}
inline u32 float_of_fp8(u32 code, const State& m) {
  const u32 magnitude = code & 0x7F, sign = (code & 0x80) << 24;
  if (m.is_gfx950) return sign | (magnitude == 0x7F ? 0x7FC00000u : widened<7, 3>(magnitude));
  return code == 0x80 ? 0x7FC00000u : sign | widened<8, 3>(magnitude);
}
inline u32 float_of_bf8(u32 code, const State& m) {
  const u32 magnitude = code & 0x7F, sign = (code & 0x80) << 24;
  if (m.is_gfx950) return sign | (magnitude > 0x7C ? 0x7FC00000u : magnitude == 0x7C ? 0x7F800000u : widened<15, 2>(magnitude));
  return code == 0x80 ? 0x7FC00000u : sign | widened<16, 2>(magnitude);
}

/// e2m1 has neither NaN nor Inf: both become the largest value, as in composable_kernel's host code.
inline u32 fp4_of(u32 x) {
  const u32 magnitude = x & 0x7FFFFFFF, code = narrowed<1, 1>(magnitude);
  return (magnitude >= 0x7F800000 || code > 7 ? 7 : code) | (x >> 28 & 8);
}
inline u32 float_of_fp4(u32 code) { return (code & 8) << 28 | widened<1, 1>(code & 7); }

/// For each bit position, with bits x, y, z: bit 4 x + 2 y + z of the 8-bit truth table `table`.
inline u32 by_table(u32 x, u32 y, u32 z, u32 table) {
  u32 r = 0;
  for (u32 k = 0; k < 8; ++k)
    r |= (0u - (table >> k & 1)) & ((k & 4) != 0 ? x : ~x) & ((k & 2) != 0 ? y : ~y) & ((k & 1) != 0 ? z : ~z);
  return r;
}
inline u32 clamped(int x, int low, int high) { return static_cast<u32>(x < low ? low : x > high ? high : x); }
/// Shifts x and y right, clamps each to low .. high, and packs them into two bytes.
inline u32 packed8(u32 x, u32 y, u32 by, int low, int high) {
  const int a = static_cast<int>(x) >> (by & 31), b = static_cast<int>(y) >> (by & 31);
  return (clamped(a, low, high) & 255) | (clamped(b, low, high) & 255) << 8;
}

// ---- conversions to integers: NaN becomes 0; out-of-range values saturate
inline u32 to_int(float x) {
  const float inside = x >= 2147483648.0f || !(x >= -2147483648.0f) ? 0.0f : x;
  const u32 r = static_cast<u32>(static_cast<int>(inside));
  return x >= 2147483648.0f ? 0x7FFFFFFFu : x < -2147483648.0f ? 0x80000000u : r;
}
inline u32 to_unsigned(float x) {  // by a signed conversion, because CPUs have no unsigned one
  const bool high = x >= 2147483648.0f;
  const float inside = !(x > 0) || x >= 4294967296.0f ? 0.0f : high ? x - 2147483648.0f : x;
  const u32 r = static_cast<u32>(static_cast<int>(inside)) + (high ? 0x80000000u : 0);
  return x >= 4294967296.0f ? ~0u : x > 0 ? r : 0;
}
inline u32 to_int64(double x) {
  if (x != x) return 0;
  return x >= 2147483647.0 ? 0x7FFFFFFFu : x <= -2147483648.0 ? 0x80000000u : static_cast<u32>(static_cast<int>(x));
}
inline u32 to_unsigned64(double x) { return !(x > 0) ? 0 : x >= 4294967295.0 ? ~0u : static_cast<u32>(static_cast<u64>(x)); }
inline float unsigned_to_float(u32 x) {
  const float low = static_cast<float>(static_cast<int>(x));
  const u32 halved = x >> 1 | (x & 1);  // bit 0 is a sticky bit, so the rounding equals that of x
  const float high = static_cast<float>(static_cast<int>(halved)) * 2.0f;
  return static_cast<int>(x) < 0 ? high : low;
}

// ---- exponents
inline double power_of_two(int e) { return d(static_cast<u64>(e + 1023) << 52); }
inline float scaled(float x, int e) {
  const int clipped = e < -400 ? -400 : e > 400 ? 400 : e;
  return static_cast<float>(static_cast<double>(x) * power_of_two(clipped));
}
/// Divides x by the power of two in the exponent of the f32 `scale`, as v_cvt_scalef32 does. Exponent 255 means NaN, as in
/// E8M0.
inline u32 over_power(u32 x, u32 scale) {
  const u32 exponent = scale >> 23 & 255;
  return exponent == 255 ? 0x7FC00000u : b(scaled(f(x), 127 - static_cast<int>(exponent)));
}
inline u32 times_power(u32 x, u32 scale) {
  const u32 exponent = scale >> 23 & 255;
  return exponent == 255 ? 0x7FC00000u : b(scaled(f(x), static_cast<int>(exponent) - 127));
}
/// x times the power of two in `scale`, as f16. With FP16_OVFL, a product of finite x that overflows f32 saturates, too.
inline u32 half_of_power(u32 x, u32 scale, const State& m) {
  const u32 r = times_power(x, scale);
  return half_of_float(is_infinite(r) && !is_infinite(x) ? r - 1 : r, m);
}
inline double times_two_to(double x, int e) { return x * power_of_two(e < -200 ? -200 : e > 200 ? 200 : e); }
inline u32 mantissa_of(u32 x) {
  const u64 u = b64(static_cast<double>(f(x)));
  const float r = static_cast<float>(d((u & 0x800FFFFFFFFFFFFFu) | u64{1022} << 52));
  return is_nan(x) ? quiet(x) : is_infinite(x) || (x & 0x7FFFFFFF) == 0 ? x : b(r);
}
inline u32 exponent_of(u32 x) {
  const u64 u = b64(static_cast<double>(f(x)));
  const u32 e = static_cast<u32>(static_cast<int>(u >> 52 & 2047) - 1022);
  return (x & 0x7FFFFFFF) >= 0x7F800000 || (x & 0x7FFFFFFF) == 0 ? 0 : e;
}
inline u64 mantissa_of64(u64 x) {
  int ignored = 0;
  return is_nan64(x) ? settle64(d(x), x) : d(x) - d(x) != 0 ? x : b64(__builtin_frexp(d(x), &ignored));
}
inline u32 exponent_of64(u64 x) {
  int e = 0;
  if (d(x) - d(x) == 0) (void)__builtin_frexp(d(x), &e);
  return static_cast<u32>(e);
}

// ---- division: LLVM's sequence of div_scale, rcp, fma, div_fmas, div_fixup. The ISA's pseudocode does not give IEEE quotients.
// ROCm's rocjitsu found the rules used here, in terms of encoded exponents, on hardware (gfx1100, gfx1201).
inline u64 div_scale(u32 x, u32 denominator, u32 numerator) {
  const int de = static_cast<int>(denominator >> 23 & 255), ne = static_cast<int>(numerator >> 23 & 255), delta = ne - de;
  const bool of_denominator = x == denominator, far = delta >= 96, near = delta <= -96;
  int shift = 0;
  bool flag = false;
  if (far) shift = of_denominator ? 64 : 0, flag = true;
  else if (de == 0) shift = 64;
  else if (de >= 253 && near && !of_denominator) shift = 0, flag = true;
  else if (de >= 253) shift = -64, flag = near;
  else if (near) shift = of_denominator ? 0 : 64, flag = true;
  else if (ne <= 24) shift = 64;
  u32 r = settle(scaled(f(x), shift), x);
  if ((denominator & 0x7FFFFFFF) == 0 || (numerator & 0x7FFFFFFF) == 0) r = 0x7FC00000u;
  return r | (flag ? u64{0xFFFFFFFF} << 32 : 0);
}
inline u32 div_fmas(u32 x, u32 y, u32 z, u32 scaled_lane) {
  const double p = static_cast<double>(f(x)) * static_cast<double>(f(y)), c = static_cast<double>(f(z)), s = p + c, t = s - p;
  const double error = (p - (s - t)) + (c - t);
  double odd = s;
  if (error != 0 && error == error && !(b64(s) & 1)) odd = d((error > 0) == (s > 0) ? b64(s) + 1 : b64(s) - 1);
  const double factor = !scaled_lane ? 1.0 : (z >> 23 & 255) > 127 ? 0x1p64 : 0x1p-64;
  return settle(static_cast<float>(odd * factor), x, y, z);
}
inline u32 div_fixup(u32 quotient, u32 denominator, u32 numerator) {
  const u32 sign = (denominator ^ numerator) & 0x80000000u;
  const u32 dm = denominator & 0x7FFFFFFF, nm = numerator & 0x7FFFFFFF, qm = quotient & 0x7FFFFFFF;
  u32 r = qm >= 0x7F800000 ? sign | 0x7F800000u : sign | qm;  // an intermediate step overflowed
  if (static_cast<int>(nm >> 23) - static_cast<int>(dm >> 23) < -150) r = sign;
  if (dm == 0x7F800000 || nm == 0) r = sign;
  if (nm == 0x7F800000 || dm == 0) r = sign | 0x7F800000u;
  if ((dm == 0x7F800000 && nm == 0x7F800000) || (dm == 0 && nm == 0)) r = 0xFFC00000u;
  if (is_nan(denominator)) r = quiet(denominator);
  if (is_nan(numerator)) r = quiet(numerator);
  return r;
}
inline void div_scale64(const u32* const* s, u32* r, const State&) {
  for (int i = 0; i < kLanes; ++i) {
    const auto at = [&](int k) { return s[k][i] | static_cast<u64>(s[k][i + kLanes]) << 32; };
    const u64 x = at(0), denominator = at(1), numerator = at(2);
    const int de = static_cast<int>(denominator >> 52 & 2047), ne = static_cast<int>(numerator >> 52 & 2047), delta = ne - de;
    const bool of_denominator = x == denominator, far = delta >= 768, near = delta <= -768;
    int shift = 0;
    bool flag = false;
    if (far) shift = of_denominator ? 128 : 0, flag = true;
    else if (de == 0) shift = 128;
    else if (de >= 2045 && near && !of_denominator) shift = 0, flag = true;
    else if (de >= 2045) shift = -128, flag = near;
    else if (near) shift = of_denominator ? 0 : 128, flag = true;
    else if (ne <= 53) shift = 128;
    u64 value = settle64(__builtin_ldexp(d(x), shift), x);
    if (denominator << 1 == 0 || numerator << 1 == 0) value = 0x7FF8000000000000u;
    r[i] = static_cast<u32>(value);
    r[i + kLanes] = static_cast<u32>(value >> 32);
    r[i + 2 * kLanes] = flag ? ~0u : 0;
  }
}
inline u64 div_fmas64(u64 x, u64 y, u64 z, u32 scaled_lane) {
  const double s = __builtin_fma(d(x), d(y), d(z));
  if (!scaled_lane || s - s != 0) return settle64(s, x, y, z);
  const double p = d(x) * d(y), pe = __builtin_fma(d(x), d(y), -p), t = p + d(z), bb = t - p, te = (p - (t - bb)) + (d(z) - bb);
  const double error = (t - s) + (te + pe);
  const int shift = (z >> 52 & 2047) > 1023 ? 128 : -128;
  double r = __builtin_ldexp(s, shift);
  // A subnormal result is rounded a second time. What the first rounding lost decides ties.
  const double lost = s - __builtin_ldexp(r, -shift);
  if (shift < 0 && error != 0 && (lost == 0x1p-947 || lost == -0x1p-947)) {
    const double lower = lost > 0 ? r : r - 0x1p-1074;
    r = error > 0 ? lower + 0x1p-1074 : lower;
  }
  return settle64(r, x, y, z);
}
inline u64 div_fixup64(u64 quotient, u64 denominator, u64 numerator) {
  constexpr u64 kSign = u64{1} << 63, kInfinity = 0x7FF0000000000000u, kNan = 0x7FF8000000000000u;
  const u64 sign = (denominator ^ numerator) & kSign, dm = denominator & ~kSign, nm = numerator & ~kSign, qm = quotient & ~kSign;
  u64 r = qm >= kInfinity ? sign | kInfinity : sign | qm;
  if (static_cast<int>(nm >> 52) - static_cast<int>(dm >> 52) < -1075) r = sign;
  if (dm == kInfinity || nm == 0) r = sign;
  if (nm == kInfinity || dm == 0) r = sign | kInfinity;
  if ((dm == kInfinity && nm == kInfinity) || (dm == 0 && nm == 0)) r = kSign | kNan;
  if (is_nan64(denominator)) r = denominator | u64{1} << 51;
  if (is_nan64(numerator)) r = numerator | u64{1} << 51;
  return r;
}

// ---- instructions for which the ISA only bounds the error
inline u32 random_bits(u32 seed, u32 value, int lane) {
  u32 r = seed ^ value * 0x9E3779B1u ^ static_cast<u32>(lane) * 0x85EBCA6Bu;
  r = (r ^ r >> 15) * 0x2C1B3C6Du;
  return r ^ r >> 13;
}
/// By how many ulp (+1, -1 or 0) an approximate instruction's result differs from the nearest value in this run.
inline int moved(const State& m, u32 value, int lane) {
  switch (m.approximation) {
    case Approximation::kUp:
      return 1;
    case Approximation::kDown:
      return -1;
    case Approximation::kRandom:
      return static_cast<int>(random_bits(m.seed, value, lane) % 3) - 1;
    default:
      return 0;
  }
}
/// f32 transcendental instructions flush a subnormal source and a subnormal result, whatever MODE says.
inline double flushed(u32 x) { return (x & 0x7F800000) == 0 ? (x >> 31 ? -0.0 : 0.0) : static_cast<double>(f(x)); }
inline u32 approximate(double exact, const State& m, int lane) {
  u32 r = exact != exact ? 0x7FC00000u : b(static_cast<float>(exact));
  const u32 magnitude = r & 0x7FFFFFFF;
  if (magnitude != 0 && magnitude < 0x7F800000 && static_cast<double>(f(r)) != exact) {
    const int step = moved(m, r, lane);
    r = step == 0 ? r : (step > 0) == (r >> 31 == 0) ? r + 1 : r - 1;
  }
  return (r & 0x7F800000) == 0 ? r & 0x80000000u : r;
}
inline u32 approximate16(double exact, u32 x, const State& m, int lane) {
  u32 r = half_of(f(cut_to_odd(exact)), x, 0, 0, m);
  if ((r & 0x7FFF) != 0 && (r & 0x7FFF) < 0x7C00 && static_cast<double>(h(r)) != exact) {
    const int step = moved(m, r, lane);
    r = step == 0 ? r : (step > 0) == (r >> 15 == 0) ? r + 1 : r - 1;
  }
  return r;
}
/// sin(2 pi (x + offset)). First takes the fraction of x, because a large x would absorb the offset.
inline double sine(double x, double offset = 0) {
  if (!(x - x == 0)) return x - x;
  const double sum = x - __builtin_floor(x) + offset, turn = sum - __builtin_floor(sum);
  return turn == 0 || turn == 0.5 ? 0.0 : __builtin_sin(6.283185307179586 * turn);
}

// ---- integers
inline void move_pair(const u32* const* s, u32* r, const State&) {
  for (int i = 0; i < kLanes; ++i) {
    const u32 low = s[0][i], high = s[1][i + kLanes];
    r[i] = low;
    r[i + kLanes] = high;
  }
}
/// Returns `sum`; after an overflow (sign bit of `overflow` set), the largest value if x >= 0, else the smallest.
inline u32 saturated(u32 sum, u32 x, u32 overflow) { return overflow >> 31 ? (x >> 31 ? 0x80000000u : 0x7FFFFFFFu) : sum; }
inline int signed24(u32 x) { return static_cast<int>(x << 8) >> 8; }
inline u32 least(u32 x, u32 y) { return static_cast<int>(x) < static_cast<int>(y) ? x : y; }
inline u32 greatest(u32 x, u32 y) { return static_cast<int>(x) > static_cast<int>(y) ? x : y; }
inline int clamped16(u32 x) { return static_cast<int>(clamped(static_cast<int>(x), -32768, 32767)); }
/// Bits offset .. offset + width - 1 of x, sign-extended. Bits beyond bit 31 are copies of bit 31.
inline u32 bfe_signed(u32 x, u32 offset, u32 width) {
  const u32 n = width & 31, part = static_cast<u32>(static_cast<int>(x) >> (offset & 31)) & ((1u << n) - 1),
            sign = n == 0 ? 0 : 1u << (n - 1);
  return (part ^ sign) - sign;
}
inline u32 reversed(u32 x) {
  x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  x = (x >> 4 & 0x0F0F0F0Fu) | (x & 0x0F0F0F0Fu) << 4;
  return __builtin_bswap32(x);
}
/// v_perm_b32: each byte of `selectors` selects a byte of x and y (0-7), a byte of sign bits (8-11), 0 (12) or 255 (13 and more).
inline u32 permuted(u32 x, u32 y, u32 selectors) {
  const u64 bytes = static_cast<u64>(x) << 32 | y;
  u32 r = 0;
  for (int k = 0; k < 4; ++k) {
    const u32 s = selectors >> 8 * k & 255;
    const u32 sign = static_cast<u32>(bytes >> ((2 * (s & 3) + 2) * 8 - 1) & 1) * 255;
    const u32 byte = s < 8 ? static_cast<u32>(bytes >> 8 * (s & 7) & 255) : s < 12 ? sign : s == 12 ? 0 : 255;
    r |= byte << 8 * k;
  }
  return r;
}
/// Low word: the result. High word: all ones if there was a carry or borrow out of 32 bits, otherwise 0.
inline u64 with_carry(u64 r) { return (r & 0xFFFFFFFFu) | (r >> 32 != 0 ? u64{0xFFFFFFFF} << 32 : 0); }
template <bool kSigned>
inline void mad_wide(const u32* const* s, u32* r, const State&) {
  for (int i = 0; i < kLanes; ++i) {
    const u64 c = s[2][i] | static_cast<u64>(s[2][i + kLanes]) << 32;
    const u64 p = kSigned ? static_cast<u64>(static_cast<int64_t>(static_cast<int>(s[0][i])) * static_cast<int>(s[1][i]))
                          : static_cast<u64>(s[0][i]) * s[1][i];
    const u64 sum = p + c;
    const bool carry = kSigned ? ((~(p ^ c) & (p ^ sum)) >> 63) != 0 : sum < p;
    r[i] = static_cast<u32>(sum);
    r[i + kLanes] = static_cast<u32>(sum >> 32);
    r[i + 2 * kLanes] = carry ? ~0u : 0;
  }
}
inline u32 dot4(u32 x, u32 y, u32 z) {
  for (int k = 0; k < 4; ++k)
    z += static_cast<u32>(static_cast<int>(static_cast<int8_t>(x >> 8 * k)) * static_cast<int8_t>(y >> 8 * k));
  return z;
}
/// v_cmp_class. Mask bits from bit 0: signalling NaN, quiet NaN, -inf, -normal, -subnormal, -0, +0, +subnormal, +normal, +inf.
inline bool has_class(u32 x, u32 mask, u32 exponent, u32 fraction, int sign) {
  const bool negative = x >> sign & 1;
  const u32 magnitude = x & (exponent | fraction), e = magnitude & exponent;
  if (magnitude > exponent) return mask >> ((magnitude & ((fraction + 1) >> 1)) != 0 ? 1 : 0) & 1;
  const int rank = magnitude == exponent ? 3 : e != 0 ? 2 : magnitude != 0 ? 1 : 0;
  return mask >> (negative ? 5 - rank : 6 + rank) & 1;
}
inline bool has_class64(u64 x, u32 mask) {
  constexpr u64 kInfinity = 0x7FF0000000000000u;
  const bool negative = x >> 63;
  const u64 magnitude = x & ~(u64{1} << 63);
  if (magnitude > kInfinity) return mask >> (magnitude >> 51 & 1) & 1;
  const int rank = magnitude == kInfinity ? 3 : magnitude >> 52 != 0 ? 2 : magnitude != 0 ? 1 : 0;
  return mask >> (negative ? 5 - rank : 6 + rank) & 1;
}

}  // namespace
}  // namespace assay_gcn
