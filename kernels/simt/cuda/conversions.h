// Conversions between fp32 and narrower numbers on NVIDIA GPUs. Included by cuda_simt.h.
#pragma once

namespace simt {

SIMT_DEVICE float to_float(float v) { return v; }
SIMT_DEVICE float to_float(Bf16 v) { return from_bits(uint32_t{v.bits} << 16); }
SIMT_DEVICE float to_float(F16 v) { return __half2float(__ushort_as_half(v.bits)); }
template <class T>
SIMT_DEVICE T from_float(float v);
template <>
SIMT_DEVICE float from_float(float v) {
  return v;
}
template <>
SIMT_DEVICE Bf16 from_float(float v) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(v))};
}
template <>
SIMT_DEVICE F16 from_float(float v) {
  return {__half_as_ushort(__float2half_rn(v))};
}
/// Two at a time: one packing conversion, where a conversion of one goes through a slower unit.
template <class T>
SIMT_DEVICE void from_floats(float a, float b, T& x, T& y) {
  x = from_float<T>(a);
  y = from_float<T>(b);
}
template <>
SIMT_DEVICE void from_floats(float a, float b, Bf16& x, Bf16& y) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
  x.bits = __bfloat16_as_ushort(pair.x);
  y.bits = __bfloat16_as_ushort(pair.y);
}
template <>
SIMT_DEVICE void from_floats(float a, float b, F16& x, F16& y) {
  const __half2 pair = __floats2half2_rn(a, b);
  x.bits = __half_as_ushort(pair.x);
  y.bits = __half_as_ushort(pair.y);
}

}  // namespace simt

#include "kernels/simt/pairs.h"

namespace simt {

template <class Pair>
SIMT_DEVICE Pair pair_of(uint32_t word) {
  Pair pair;
  memcpy(&pair, &word, sizeof pair);
  return pair;
}
template <class Pair>
SIMT_DEVICE uint32_t word_of(Pair pair) {
  uint32_t word;
  memcpy(&word, &pair, sizeof word);
  return word;
}
template <>
SIMT_DEVICE uint32_t pair_from_floats<Bf16>(float low, float high) {
  return word_of(__floats2bfloat162_rn(low, high));
}
template <>
SIMT_DEVICE uint32_t pair_from_floats<F16>(float low, float high) {
  return word_of(__floats2half2_rn(low, high));
}
template <>
SIMT_DEVICE uint32_t multiply_pairs<Bf16>(uint32_t a, uint32_t b) {
  return word_of(__hmul2_rn(pair_of<__nv_bfloat162>(a), pair_of<__nv_bfloat162>(b)));
}
template <>
SIMT_DEVICE uint32_t multiply_pairs<F16>(uint32_t a, uint32_t b) {
  return word_of(__hmul2_rn(pair_of<__half2>(a), pair_of<__half2>(b)));
}
template <>
SIMT_DEVICE uint32_t widest_pairs<Bf16>(uint32_t a, uint32_t b) {
  return word_of(__hmax2(__habs2(pair_of<__nv_bfloat162>(a)), __habs2(pair_of<__nv_bfloat162>(b))));
}
template <>
SIMT_DEVICE uint32_t widest_pairs<F16>(uint32_t a, uint32_t b) {
  return word_of(__hmax2(__habs2(pair_of<__half2>(a)), __habs2(pair_of<__half2>(b))));
}

SIMT_DEVICE uint8_t to_e4m3fn_sat(float v) { return uint8_t(__nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E4M3)); }
/// Two codes in the low 16 bits, the first lowest: one cvt.rn.satfinite.e4m3x2.f32.
SIMT_DEVICE uint32_t to_e4m3fn_sat_x2(float a, float b) {
  return uint32_t(__nv_cvt_float2_to_fp8x2(make_float2(a, b), __NV_SATFINITE, __NV_E4M3));
}
/// The instruction always saturates; beyond the tie 464 torch gives NaN.
SIMT_DEVICE uint8_t to_e4m3fn_nosat(float v) {
  return magnitude(v) <= 464.0f ? to_e4m3fn_sat(v) : uint8_t(0x7fu | (bits(v) >> 24 & 0x80u));
}
SIMT_DEVICE uint8_t to_e4m3fnuz_sat(float v) { return e4m3fnuz_bits_sat(v); }
SIMT_DEVICE uint8_t to_e5m2_sat(float v) { return uint8_t(__nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E5M2)); }
/// From sm_100 on cvt.rz and cvt.rp.satfinite.ue8m0x2.f32; before it the header's integer code.
SIMT_DEVICE uint8_t to_e8m0_rz_sat(float v) { return uint8_t(__nv_cvt_float_to_e8m0(v, __NV_SATFINITE, cudaRoundZero)); }
SIMT_DEVICE uint8_t to_e8m0_rp_sat(float v) { return uint8_t(__nv_cvt_float_to_e8m0(v, __NV_SATFINITE, cudaRoundPosInf)); }
SIMT_DEVICE uint8_t to_int8_sat(float v) {
  int32_t code;
  asm("cvt.rni.sat.s8.f32 %0, %1;" : "=r"(code) : "f"(v));
  return uint8_t(code);
}
SIMT_DEVICE uint8_t to_int8_rz_sat(float v) {
  int32_t code;
  asm("cvt.rzi.sat.s8.f32 %0, %1;" : "=r"(code) : "f"(v));
  return uint8_t(code);
}
SIMT_DEVICE uint8_t to_int8_rna_sat(float v) { return to_int8_rz_sat(::roundf(v)); }
/// cvt.rni.s32.f32: limited by itself, NaN is 0.
SIMT_DEVICE int32_t to_int32_sat(float v) { return __float2int_rn(v); }
SIMT_DEVICE int32_t add_sat(int32_t a, int32_t b) {
  int32_t sum;
  asm("add.sat.s32 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
}
/// Four integers, each limited, as the bytes of a word, the first lowest.
SIMT_DEVICE uint32_t pack_int8_sat(int32_t a, int32_t b, int32_t c, int32_t d) {
  uint32_t word;
  asm("{ .reg .b32 high; cvt.pack.sat.s8.s32.b32 high, %4, %3, 0; cvt.pack.sat.s8.s32.b32 %0, %2, %1, high; }"
      : "=r"(word)
      : "r"(a), "r"(b), "r"(c), "r"(d));
  return word;
}

}  // namespace simt
