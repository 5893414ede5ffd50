// __half and __nv_bfloat16 with HIP's names for them: bits, conversions, arithmetic that is done in float and rounded once.
#pragma once

#include "assay/compat/vectors.h"
#include "kernels/simt/simt.h"

namespace assay::simt {

struct Bf16Bits {
  static float widen(uint16_t code) { return ::simt::float_from_bf16_bits(code); }
  static uint16_t round(float value) { return ::simt::bf16_bits_from_float(value); }
};
struct F16Bits {
  static float widen(uint16_t code) { return ::simt::float_from_f16_bits(code); }
  static uint16_t round(float value) { return ::simt::f16_bits_from_float(value); }
};

template <class Bits>
struct __attribute__((may_alias)) Half {
  uint16_t __x;

  Half() = default;
  Half(float value) : __x(Bits::round(value)) {}
  operator float() const { return Bits::widen(__x); }

  friend Half operator+(Half a, Half b) { return Half(float(a) + float(b)); }
  friend Half operator-(Half a, Half b) { return Half(float(a) - float(b)); }
  friend Half operator*(Half a, Half b) { return Half(float(a) * float(b)); }
  friend Half operator/(Half a, Half b) { return Half(float(a) / float(b)); }
  friend Half operator-(Half a) { return from_bits(a.__x ^ 0x8000u); }
  Half& operator+=(Half b) { return *this = *this + b; }
  Half& operator-=(Half b) { return *this = *this - b; }
  Half& operator*=(Half b) { return *this = *this * b; }

  static Half from_bits(unsigned bits) {
    Half half;
    half.__x = uint16_t(bits);
    return half;
  }
};

template <class Bits>
struct __attribute__((may_alias, aligned(4))) HalfPair {
  Half<Bits> x, y;
};

}  // namespace assay::simt

using __half = assay::simt::Half<assay::simt::F16Bits>;
using __half2 = assay::simt::HalfPair<assay::simt::F16Bits>;
using half = __half;
using half2 = __half2;
using __nv_bfloat16 = assay::simt::Half<assay::simt::Bf16Bits>;
using __nv_bfloat162 = assay::simt::HalfPair<assay::simt::Bf16Bits>;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;
using __hip_bfloat16 = __nv_bfloat16;
using __hip_bfloat162 = __nv_bfloat162;
using hip_bfloat16 = __nv_bfloat16;

inline __half __float2half(float x) { return __half(x); }
inline __half __float2half_rn(float x) { return __half(x); }
inline float __half2float(__half x) { return float(x); }
inline __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
inline float2 __half22float2(__half2 v) { return {float(v.x), float(v.y)}; }
inline __half __ushort_as_half(unsigned short bits) { return __half::from_bits(bits); }
inline unsigned short __half_as_ushort(__half x) { return x.__x; }

inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return __nv_bfloat16(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return float(x); }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {__nv_bfloat16(x), __nv_bfloat16(y)}; }
inline float2 __bfloat1622float2(__nv_bfloat162 v) { return {float(v.x), float(v.y)}; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return __nv_bfloat16::from_bits(bits); }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.__x; }
