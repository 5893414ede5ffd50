// Casts gone wrong, each as it went wrong somewhere.
#pragma once

#include "kernels/ops/cast/rules.h"

namespace assay_kernels {

/// The exponent is cut off where it must be rounded up.
struct CastFloorForCeil : CudaE8m0Rp {
  static uint8_t encode(float v) { return simt::to_e8m0_rz_sat(v); }
};

/// The clamp before the instruction takes NaN for a number.
struct CastNanLaundering : CudaE4m3fnSat {
  static uint8_t encode(float v) { return simt::to_e4m3fn_sat(simt::max_number(simt::min_number(v, 448.0f), -448.0f)); }
};

/// An instruction that does not saturate by itself, without the clamp before it.
struct CastWithoutSaturation : CudaE4m3fnSat {
  static uint8_t encode(float v) { return CudaE4m3fnNosat::encode(v); }
};

/// NaN for everything above the largest number, before any rounding.
struct CastNanAboveLargest : CudaE4m3fnNosat {
  static uint8_t encode(float v) {
    const uint8_t nan = uint8_t(0x7fu | (simt::bits(v) >> 24 & 0x80u));
    return simt::magnitude(v) > 448.0f ? nan : CudaE4m3fnNosat::encode(v);
  }
};

/// Half a step is added to the magnitude, and the rest cut off.
struct CastTiesAway : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    const float m = simt::magnitude(v);
    const uint32_t code = m < 0x1p-6f ? uint32_t(m * 512.0f + 0.5f) : ((simt::bits(m) + 0x80000u) >> 20) - 960u;
    return v != v ? uint8_t(0x7f) : uint8_t((simt::bits(v) >> 24 & 0x80u) | (code < 0x7eu ? code : 0x7eu));
  }
};

/// Codes below the smallest normal number become zero.
struct CastFlushesSubnormals : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    const uint8_t code = simt::to_e4m3fn_sat(v);
    return (code & 0x7fu) < 8u ? code & 0x80u : code;
  }
};

/// The largest number of the other e4m3.
struct CastRange240 : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    return v != v ? uint8_t(0x7f) : simt::to_e4m3fn_sat(simt::max_number(simt::min_number(v, 240.0f), -240.0f));
  }
};

/// Rounded to bf16 on the way, and so twice.
struct CastThroughBf16 : CudaE4m3fnSat {
  static uint8_t encode(float v) { return simt::to_e4m3fn_sat(simt::to_float(simt::from_float<simt::Bf16>(v))); }
};

/// Tiny inputs as x86 makes them of a 64-bit shift by 64 places and more: as if they were 2^64 times as large.
struct CastShiftWraps : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    const float m = simt::magnitude(v);
    return simt::to_e4m3fn_sat(m > 0x1p-74f && m < 0x1.fp-70f ? v * 0x1p64f : v);
  }
};

/// Codes of the other e4m3 under this one's name.
struct CastFnuzForFn : CudaE4m3fnSat {
  static uint8_t encode(float v) { return simt::to_e4m3fnuz_sat(v); }
};

}  // namespace assay_kernels
