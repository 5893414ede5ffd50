// Element access for kernels in plain loops: 16- and 32-bit elements as float and back, and e4m3fn codes.
#pragma once

#include <cmath>
#include <cstring>

#include "assay/plugin/table.hpp"

namespace assay_strangers {

using assay::plugin::Call;
using Kernel = assay::plugin::KernelOf<Call>;

/// Runs the kernel `kRun` with the mistake kSlip.
template <auto kRun, auto kSlip>
void with(const Call& call) {
  kRun(call, kSlip);
}

inline uint32_t bits_of(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits;
}
inline float from_bits(uint32_t bits) {
  float v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

/// The larger operand. If one is NaN, even a signaling one, returns the other. std::fmax() returns NaN for a signaling NaN, and
/// the next maximum would then forget the earlier elements.
inline float larger(float a, float b) { return a > b || b != b ? a : b; }
inline float smaller(float a, float b) { return a < b || b != b ? a : b; }

enum class Ties { kEven, kAway, kTowardZero };

/// Rounds to `bits` fraction bits. Magnitudes below 2^least are subnormal. NaN and Inf stay unchanged.
inline float nearest(float v, int bits, int least, Ties ties = Ties::kEven) {
  if (v == 0 || !std::isfinite(v)) return v;
  const int exponent = std::max(std::ilogb(v), least);
  const float steps = std::ldexp(std::fabs(v), bits - exponent);  // exact, because it is below 2^(bits + 1)
  float whole = std::nearbyint(steps);
  if (ties != Ties::kEven && steps - std::floor(steps) == 0.5f)
    whole = ties == Ties::kAway ? std::ceil(steps) : std::floor(steps);
  return std::copysign(std::ldexp(whole, exponent - bits), v);
}

inline float to_bf16(float v, Ties ties = Ties::kEven) { return nearest(v, 7, -126, ties); }
inline float to_f16(float v) {
  const float near = nearest(v, 10, -14);
  return std::fabs(near) > 65504.0f ? std::copysign(INFINITY, v) : near;
}

/// The element at offset `at`, counted in elements.
inline float read(const assay_tensor& t, int64_t at) {
  if (t.type_bits == 32) return static_cast<const float*>(t.data)[at];
  const uint32_t code = static_cast<const uint16_t*>(t.data)[at];
  if (t.type_code == ASSAY_BFLOAT) return from_bits(code << 16);
  const uint32_t exponent = code >> 10 & 31u, fraction = code & 1023u;
  float v = exponent == 0    ? std::ldexp(float(fraction), -24)
            : exponent == 31 ? (fraction ? NAN : INFINITY)
                             : std::ldexp(float(1024u + fraction), int(exponent) - 25);
  return code & 0x8000u ? -v : v;
}

/// Rounds to the type of x, to nearest. For fp16, `ties` is ignored: ties go to even.
inline float rounded(const assay_tensor& x, float v, Ties ties = Ties::kEven) {
  return x.type_bits == 32 ? v : x.type_code == ASSAY_BFLOAT ? to_bf16(v, ties) : to_f16(v);
}

/// Stores a value that the type of t can represent.
inline void store(const assay_tensor& t, int64_t at, float v) {
  if (t.type_bits == 32) {
    static_cast<float*>(t.data)[at] = v;
    return;
  }
  uint16_t& code = static_cast<uint16_t*>(t.data)[at];
  if (t.type_code == ASSAY_BFLOAT) {
    code = v != v ? 0x7fc0 : uint16_t(bits_of(v) >> 16);
    return;
  }
  const float m = std::fabs(v);
  const uint32_t magnitude = v != v          ? 0x7e00u
                             : std::isinf(v) ? 0x7c00u
                             : m < 0x1p-14f
                                 ? uint32_t(std::ldexp(m, 24))
                                 : uint32_t(std::ldexp(m, 10 - std::ilogb(m))) - 1024u + (uint32_t(std::ilogb(m) + 15) << 10);
  code = uint16_t(magnitude | (std::signbit(v) ? 0x8000u : 0u));
}

/// The e4m3fn code, with saturation.
inline uint8_t to_e4m3(float v, Ties ties = Ties::kEven) {
  const uint8_t sign = std::signbit(v) ? 0x80 : 0;
  if (v != v) return sign | 0x7f;
  const float m = std::fabs(std::fabs(v) >= 464.0f ? 448.0f : nearest(v, 3, -6, ties));
  if (m >= 448.0f) return sign | 0x7e;
  if (m < 0x1p-6f) return uint8_t(sign | uint8_t(m * 512.0f));
  const int exponent = std::ilogb(m);
  return uint8_t(sign | ((exponent + 7) << 3) | (int(std::ldexp(m, 3 - exponent)) - 8));
}

/// Offset of row r in elements.
inline int64_t row_of(const assay_tensor& t, int64_t r) { return r * t.strides[0]; }

}  // namespace assay_strangers
