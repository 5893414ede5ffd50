// Conversions between fp32 and narrower numbers on AMD GPUs. Included by hip_simt.h.
#pragma once

namespace simt {

SIMT_DEVICE float to_float(float v) { return v; }
SIMT_DEVICE float to_float(Bf16 v) { return float_from_bf16_bits(v.bits); }
SIMT_DEVICE float to_float(F16 v) {
  _Float16 half;
  __builtin_memcpy(&half, &v, sizeof half);
  return float(half);
}
template <class T>
SIMT_DEVICE T from_float(float v);
template <>
SIMT_DEVICE float from_float(float v) {
  return v;
}
template <>
SIMT_DEVICE Bf16 from_float(float v) {
#if defined(__gfx950__)
  const __bf16 half = __bf16(v);  // v_cvt_pk_bf16_f32
  Bf16 code;
  __builtin_memcpy(&code, &half, sizeof code);
  return code;
#else
  return {bf16_bits_from_float(v)};
#endif
}
template <>
SIMT_DEVICE F16 from_float(float v) {
#if defined(__HIP_DEVICE_COMPILE__)
  // Else clang (22) makes v_fma_mixlo_f16 a, b, 0 of f16(a * b), which turns a product of -0 into +0.
  asm("" : "+v"(v));
#endif
  const _Float16 half = _Float16(v);
  F16 code;
  __builtin_memcpy(&code, &half, sizeof code);
  return code;
}
/// Two at a time.
template <class T>
SIMT_DEVICE void from_floats(float a, float b, T& x, T& y) {
  x = from_float<T>(a);
  y = from_float<T>(b);
}

}  // namespace simt

#include "kernels/simt/pairs.h"

namespace simt {

// v_cvt_pk_fp8_f32 is fnuz on gfx942 and OCP on gfx950: each has one format in hardware and the other in integer code. The
// instruction does not saturate by itself, so numbers are clamped first; NaN passes the clamp by the select.
#if defined(__gfx942__) || defined(__gfx950__)
SIMT_DEVICE uint32_t hardware_fp8_x2(float a, float b, float limit) {
  a = a != a ? a : min_number(max_number(a, -limit), limit);
  b = b != b ? b : min_number(max_number(b, -limit), limit);
  return uint32_t(__builtin_amdgcn_cvt_pk_fp8_f32(a, b, 0, false)) & 0xffffu;
}
#endif
#if defined(__gfx950__)
SIMT_DEVICE uint8_t to_e4m3fn_sat(float v) { return uint8_t(hardware_fp8_x2(v, v, 448.0f)); }
SIMT_DEVICE uint32_t to_e4m3fn_sat_x2(float a, float b) { return hardware_fp8_x2(a, b, 448.0f); }
#else
SIMT_DEVICE uint8_t to_e4m3fn_sat(float v) { return e4m3fn_bits_sat(v); }
SIMT_DEVICE uint32_t to_e4m3fn_sat_x2(float a, float b) {
  return uint32_t{e4m3fn_bits_sat(a)} | uint32_t{e4m3fn_bits_sat(b)} << 8;
}
#endif
#if defined(__gfx942__)
SIMT_DEVICE uint8_t to_e4m3fnuz_sat(float v) { return uint8_t(hardware_fp8_x2(v, v, 240.0f)); }
#else
SIMT_DEVICE uint8_t to_e4m3fnuz_sat(float v) { return e4m3fnuz_bits_sat(v); }
#endif
SIMT_DEVICE uint8_t to_e4m3fn_nosat(float v) { return e4m3fn_bits_nosat(v); }
// v_cvt_pk_bf8_f32 likewise is e5m2 on gfx950 alone. What it makes of the sign of NaN is not known: NaN goes round it.
#if defined(__gfx950__)
SIMT_DEVICE uint8_t to_e5m2_sat(float v) {
  const float limited = min_number(max_number(v, -57344.0f), 57344.0f);
  const uint8_t code = uint8_t(__builtin_amdgcn_cvt_pk_bf8_f32(limited, limited, 0, false));
  return v != v ? uint8_t(0x7f) : code;
}
#else
SIMT_DEVICE uint8_t to_e5m2_sat(float v) { return e5m2_bits_sat(v); }
#endif

}  // namespace simt

#include "kernels/simt/integer_conversions.h"
