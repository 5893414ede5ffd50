// e4m3 of CUDA (e4m3fn) and of HIP (e4m3fn and e4m3fnuz). Constructors saturate. e5m2 is not here.
#pragma once

#include <math.h>

#include <limits>

#include "assay/compat/vectors.h"
#include "kernels/simt/simt.h"

namespace assay::simt {

/// What a code with 4 exponent and 3 mantissa bits stands for, NaN apart.
inline float e4m3_value(unsigned code, int bias) {
  const int exponent = int(code >> 3 & 15u), mantissa = int(code & 7u);
  const float size = exponent == 0 ? ldexpf(float(mantissa), -2 - bias) : ldexpf(float(8 + mantissa), exponent - 3 - bias);
  return code & 0x80u ? -size : size;
}

struct E4m3fn {
  static uint8_t round(float value) { return ::simt::e4m3fn_bits_sat(value); }
  static float widen(uint8_t code) {
    return (code & 0x7fu) == 0x7fu ? std::numeric_limits<float>::quiet_NaN() : e4m3_value(code, 7);
  }
};
struct E4m3fnuz {
  static uint8_t round(float value) { return ::simt::e4m3fnuz_bits_sat(value); }
  static float widen(uint8_t code) { return code == 0x80u ? std::numeric_limits<float>::quiet_NaN() : e4m3_value(code, 8); }
};

template <class Bits>
struct __attribute__((may_alias)) Fp8 {
  uint8_t __x;
  Fp8() = default;
  explicit Fp8(float value) : __x(Bits::round(value)) {}
  explicit operator float() const { return Bits::widen(__x); }
};

}  // namespace assay::simt

using __nv_fp8_e4m3 = assay::simt::Fp8<assay::simt::E4m3fn>;
using __hip_fp8_e4m3 = __nv_fp8_e4m3;
using __hip_fp8_e4m3_fnuz = assay::simt::Fp8<assay::simt::E4m3fnuz>;

using __nv_fp8_storage_t = unsigned char;
using __nv_fp8x2_storage_t = unsigned short;
using __hip_fp8_storage_t = unsigned char;
enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE };
enum __nv_fp8_interpretation_t { __NV_E4M3 };
enum __hip_saturation_t { __HIP_SATFINITE };
enum __hip_fp8_interpretation_t { __HIP_E4M3, __HIP_E4M3_FNUZ };

inline __nv_fp8_storage_t __nv_cvt_float_to_fp8(float x, __nv_saturation_t saturation, __nv_fp8_interpretation_t) {
  return saturation == __NV_SATFINITE || x != x ? ::simt::e4m3fn_bits_sat(x) : ::simt::e4m3fn_bits_nosat(x);
}
inline __nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2 x, __nv_saturation_t saturation, __nv_fp8_interpretation_t format) {
  return __nv_fp8x2_storage_t(__nv_cvt_float_to_fp8(x.x, saturation, format) | __nv_cvt_float_to_fp8(x.y, saturation, format)
                                                                                   << 8);
}
inline __hip_fp8_storage_t __hip_cvt_float_to_fp8(float x, __hip_saturation_t, __hip_fp8_interpretation_t format) {
  return format == __HIP_E4M3_FNUZ ? ::simt::e4m3fnuz_bits_sat(x) : ::simt::e4m3fn_bits_sat(x);
}
