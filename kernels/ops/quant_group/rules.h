// What a contract changes in a group quantization kernel. Each contract is a struct that derives from one of these and says, line
// by line, its own arithmetic; a faulty kernel is a struct that derives from a contract's and gets one line wrong.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/codes.h"
#include "kernels/ops/flushed.h"
#include "kernels/ops/quant_group/scales_out.h"

namespace assay_kernels {

struct GroupRules {
  using Code = E4m3fnSat;
  using Element = simt::Divide;                 ///< what is done to each element before the clamp: x / s or x * m
  using Offset = int64_t;                       ///< of the first element of a row
  static constexpr bool kPacked = false;        ///< scales are bytes of exponents, four in a word
  static constexpr bool kWritesPadding = true;  ///< of packed scales
  static constexpr bool kWritesRows = true;     ///< padding below the last row too
  static constexpr bool kBounded = false;       ///< by scale_ub: the rules have scale_within(amax, scale_ub)
  static constexpr bool kSaturates = false;     ///< clamp() bounds numbers as the cast does by itself, so it is for NaN
  static constexpr bool kDropsNan = true;       ///< widest() is max_number()

  /// Lanes whose maxima meet: those of the group.
  template <int kWarp, int kLanes>
  static constexpr int kReach = kLanes;
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_number(a, b); }
  /// The widest of nothing, where the reduction begins.
  SIMT_DEVICE static float widest_of_none() { return 0.0f; }
  /// The element operation from amax and the stored scale.
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return scale; }
  SIMT_DEVICE static float clamp(float v) { return v; }
  /// Between the writes of the staged elements and the reads of others' elements.
  SIMT_DEVICE static void staged() { simt::barrier(); }
  /// Place of the scale of group g in row r.
  SIMT_DEVICE static int64_t place(const ScalesOut& out, int64_t r, int64_t g) {
    return r * out.row_stride + g * out.group_stride;
  }
  /// Four scales, powers of two, into a word: the exponent fields (DeepGEMM smxx_layout.cuh has the same four shifts).
  SIMT_DEVICE static uint32_t pack(const float* s) {
    return simt::bits(s[0]) >> 23 | simt::bits(s[1]) >> 15 | simt::bits(s[2]) >> 7 | simt::bits(s[3]) << 1;
  }
};

/// v / divisor, rounded once, for a divisor known when compiling and v that is 0, Inf, NaN or at least 2^-50 divisors.
SIMT_DEVICE float over_constant(float v, float divisor) { return simt::bits(v) == 0x7f800000u ? v : simt::Divide(divisor)(v); }

/// Biased exponent of the least power of two that is not below |y|, from the bits: 0..255, and 256 for NaN.
SIMT_DEVICE uint32_t exponent_ceil(float y) {
  const uint32_t b = simt::bits(y);
  return (b >> 23 & 255u) + ((b & 0x7fffffu) != 0u ? 1u : 0u);
}

/// That power of two for y >= 0 that is not NaN; beyond 2^127 Inf.
SIMT_DEVICE float pow2_ceil(float y) { return simt::from_bits(exponent_ceil(y) << 23); }

/// 1 / s, exact, for a power of two from 2^-126 to 2^126, by its exponent field; 0 for Inf.
SIMT_DEVICE float pow2_reciprocal(float s) {
  const uint32_t b = simt::bits(s);
  return simt::from_bits(b < 0x7f000000u ? 0x7f000000u - b : (0x7f800000u - b) >> 1);  // 1 / 2^127 is subnormal
}

/// max first, then min: NaN becomes -limit.
SIMT_DEVICE float clamp_max_min(float v, float limit) { return simt::min_number(simt::max_number(v, -limit), limit); }
/// min first, then max: NaN becomes +limit.
SIMT_DEVICE float clamp_min_max(float v, float limit) { return simt::max_number(simt::min_number(v, limit), -limit); }
/// torch.clamp: NaN stays.
SIMT_DEVICE float clamp_keep(float v, float limit) { return simt::min_or_nan(simt::max_or_nan(v, -limit), limit); }

/// A list of rules, for dispatch by the contract's id.
template <class... Rules>
struct RulesList {
  /// Calls f(Rules{}) for the rules of that contract; false if there are none.
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static void append_ids(std::vector<std::string>& ids, bool packed) {
    ((Rules::kPacked == packed ? ids.push_back(Rules::kContract) : void()), ...);
  }
};

}  // namespace assay_kernels
