// Arithmetic that all quantization kernels share: packing of codes into words, positions of scales, amax over lanes, and
// quotients of many elements by one scale.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "assay/abi.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// Conversions to element codes, four at a time.

/// Packs four codes into a word, the first in the lowest byte. Casts one value at a time.
template <class Code>
SIMT_DEVICE uint32_t encode4_one_by_one(const float* v) {
  return uint32_t{Code::encode(v[0])} | uint32_t{Code::encode(v[1])} << 8 | uint32_t{Code::encode(v[2])} << 16 |
         uint32_t{Code::encode(v[3])} << 24;
}

/// The larger of two magnitudes, or NaN if one is NaN. Bit patterns without sign sort like values, and NaN sorts above Inf.
SIMT_DEVICE float widest_or_nan(float a, float b) {
  const uint32_t u = simt::bits(a), v = simt::bits(b);
  return simt::from_bits(u > v ? u : v);
}

struct E4m3fnSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) {
    return simt::to_e4m3fn_sat_x2(v[0], v[1]) | simt::to_e4m3fn_sat_x2(v[2], v[3]) << 16;
  }
};

struct E4m3fnNosat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_nosat(v); }
  /// Casts as the saturating cast does, except that magnitudes above 464 become NaN (0x7f), and NaN keeps its sign.
  SIMT_DEVICE static uint32_t encode4(const float* v) {
    const float low = widest_or_nan(simt::magnitude(v[0]), simt::magnitude(v[1]));
    const float high = widest_or_nan(simt::magnitude(v[2]), simt::magnitude(v[3]));
    uint32_t word = E4m3fnSat::encode4(v);
    if (widest_or_nan(low, high) <= 464.0f) return word;
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i)
      if (!(simt::magnitude(v[i]) <= 464.0f)) word |= ((simt::bits(v[i]) >> 24 & 0x80u) | 0x7fu) << (8 * i);
    return word;
  }
};

struct E4m3fnuzSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fnuz_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<E4m3fnuzSat>(v); }
};

/// Three conversions to int8 that different projects use. Each converts NaN to 0.
struct Int8Nearest {
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8Nearest>(v); }
};

struct Int8Truncated {
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_rz_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8Truncated>(v); }
};

struct Int8TiesAway {
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_rna_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8TiesAway>(v); }
};

// Positions of stored scales.

/// n / divisor for n < 2^31, by a multiplication and a shift (Granlund, Montgomery, PLDI 1994, figure 4.1).
struct Divider {
  uint32_t divisor = 1, multiplier = 1, shift = 0;
  static Divider by(uint32_t d) {
    uint32_t shift = 0;
    while ((uint64_t{1} << shift) < d) ++shift;
    return {d, uint32_t(((uint64_t{1} << 32) * ((uint64_t{1} << shift) - d)) / d + 1), shift};
  }
  SIMT_DEVICE uint32_t quotient(uint32_t n) const { return (uint32_t(uint64_t{n} * multiplier >> 32) + n) >> shift; }
};

/// Where kernels store scales: `groups` scales for each of `rows` rows.
struct ScalesOut {
  void* data;  ///< floats, or the bytes of packed words
  int64_t rows;
  int32_t groups;                    ///< groups per row
  int64_t row_stride, group_stride;  ///< strides of the stored scales, in floats
  int64_t padded_rows;               ///< if scales are packed: rows per column of words, rounded up to a multiple of four
  Divider by_groups;
};

// What a group quantization contract may change. Each contract is a struct that derives from one of these structs and replaces
// functions. A deliberately wrong kernel derives from a contract's struct and replaces one function by a wrong one.

struct GroupRules {
  using Code = E4m3fnSat;
  using Element = simt::Divide;                 ///< operation on each element before the clamp: x / s, or x times a multiplier
  using Offset = int64_t;                       ///< type of the offset of a row's first element
  static constexpr bool kPacked = false;        ///< true: scales are exponent bytes, four per word
  static constexpr bool kWritesPadding = true;  ///< true: writes the padding of packed scales
  static constexpr bool kWritesRows = true;     ///< true: also writes the padding rows after the last row
  static constexpr bool kBounded = false;       ///< true: scale_ub limits amax or scale; the rules define scale_within(amax, scale_ub)
  static constexpr bool kSaturates = false;     ///< true: clamp() only changes NaN, because the cast limits all other values
  static constexpr bool kDropsNan = true;       ///< true: the maximum ignores NaN, because widest() is max_number()

  /// Number of lanes over which the maximum is taken: all lanes of the group, except in a wrong kernel.
  template <int kWarp, int kLanes>
  static constexpr int kReach = kLanes;
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_number(a, b); }
  /// Start value of the group's maximum.
  SIMT_DEVICE static float widest_of_none() { return 0.0f; }
  /// What Element divides by or multiplies by. Computed from amax and the stored scale.
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return scale; }
  SIMT_DEVICE static float clamp(float v) { return v; }
  /// Barrier between writes of elements to shared memory and reads by other threads.
  SIMT_DEVICE static void staged() { simt::barrier(); }
  /// Index in the scale tensor of the scale of row r and group g.
  SIMT_DEVICE static int64_t place(const ScalesOut& out, int64_t r, int64_t g) {
    return r * out.row_stride + g * out.group_stride;
  }
  /// Packs the exponent bytes of four powers of two into a word, with the same shifts as DeepGEMM's smxx_layout.cuh.
  SIMT_DEVICE static uint32_t pack(const float* s) {
    return simt::bits(s[0]) >> 23 | simt::bits(s[1]) >> 15 | simt::bits(s[2]) >> 7 | simt::bits(s[3]) << 1;
  }
};

/// v / divisor, rounded once; the divisor is a compile-time constant. v must be 0, Inf, NaN or >= 2^-50 * divisor.
SIMT_DEVICE float over_constant(float v, float divisor) { return simt::bits(v) == 0x7f800000u ? v : simt::Divide(divisor)(v); }

/// Biased exponent of the smallest power of two that is at least |y|: 0..255, or 256 for NaN.
SIMT_DEVICE uint32_t exponent_ceil(float y) {
  const uint32_t b = simt::bits(y);
  return (b >> 23 & 255u) + ((b & 0x7fffffu) != 0u ? 1u : 0u);
}

/// The smallest power of two that is at least y, for y >= 0; Inf for y > 2^127. y must not be NaN.
SIMT_DEVICE float pow2_ceil(float y) { return simt::from_bits(exponent_ceil(y) << 23); }

/// 1 / s, exact, for a power of two s >= 2^-126, computed from its exponent field; 0 for Inf.
SIMT_DEVICE float pow2_reciprocal(float s) {
  const uint32_t b = simt::bits(s);
  return simt::from_bits(b < 0x7f000000u ? 0x7f000000u - b : (0x7f800000u - b) >> 1);  // 1 / 2^127 is subnormal
}

/// max first, then min: NaN becomes -limit.
SIMT_DEVICE float clamp_max_min(float v, float limit) { return simt::min_number(simt::max_number(v, -limit), limit); }
/// min first, then max: NaN becomes +limit.
SIMT_DEVICE float clamp_min_max(float v, float limit) { return simt::max_number(simt::min_number(v, limit), -limit); }
/// torch.clamp: NaN stays NaN.
SIMT_DEVICE float clamp_keep(float v, float limit) { return simt::min_or_nan(simt::max_or_nan(v, -limit), limit); }

/// A list of rules, selected by the contract's id.
template <class... Rules>
struct RulesList {
  /// Calls f(Rules{}) for the rules of the contract. Returns false if the list has none.
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static void append_ids(std::vector<std::string>& ids, bool packed) {
    ((Rules::kPacked == packed ? ids.push_back(Rules::kContract) : void()), ...);
  }
};

// The largest magnitude among a thread's elements, with the contract's rule for NaN.

/// The largest magnitude of the elements v. `widest`: the maximum of earlier elements, or 0.
template <class Rules, int kElements>
SIMT_DEVICE float widest_of(const float (&v)[kElements], float widest = 0.0f) {
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(v[i]));
  return widest;
}

/// The largest magnitude in loads of a 16-bit type T, without NaN. Compares two elements at a time.
template <class T, int kLoads>
SIMT_DEVICE float widest_number_of(const simt::Vector<uint32_t> (&words)[kLoads]) {
  float low, high;
  uint32_t pairs = 0;
  SIMT_UNROLL
  for (int i = 0; i < 4 * kLoads; ++i) pairs = simt::widest_pairs<T>(pairs, words[i / 4].at[i % 4]);
  simt::pair_to_floats<T>(pairs, low, high);
  return simt::max_number(low, high);
}

/// The largest magnitude in loads of a 16-bit type T, with the contract's rule for NaN.
template <class Rules, class T, int kLoads>
SIMT_DEVICE float widest_of(const simt::Vector<uint32_t> (&words)[kLoads]) {
  if constexpr (Rules::kDropsNan) {
    return widest_number_of<T>(words);
  } else {
    float low, high, widest = 0.0f;
    SIMT_UNROLL
    for (int i = 0; i < 4 * kLoads; ++i) {
      simt::pair_to_floats<T>(words[i / 4].at[i % 4], low, high);
      widest = Rules::widest(Rules::widest(widest, simt::magnitude(low)), simt::magnitude(high));
    }
    return widest;
  }
}

// Conversion of many values to codes by one scale.

/// Computes the value that a contract casts, by the contract's own operations: Element, then clamp().
template <class Rules>
class ElementThenClamp {
 public:
  SIMT_DEVICE explicit ElementThenClamp(float operand) : element_(operand) {}
  SIMT_DEVICE float operator()(float v) const { return Rules::clamp(element_(v)); }

 private:
  typename Rules::Element element_;
};

/// Applies Step to each value and packs the codes, four per word, the first in the lowest byte.
template <class Code, class Step>
class CodesByStep {
 public:
  SIMT_DEVICE explicit CodesByStep(float operand) : step_(operand) {}

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = step_(v[i]);
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) codes[i] = Code::encode4(u + 4 * i);
  }

 private:
  Step step_;
};

SIMT_DEVICE uint32_t e4m3fn_of_products(const float* v, float factor) {
  const float u[4] = {v[0] * factor, v[1] * factor, v[2] * factor, v[3] * factor};
  return E4m3fnSat::encode4(u);
}

/// Nonzero if one of four e4m3fn codes is NaN.
SIMT_DEVICE uint32_t nan_codes(uint32_t codes) { return ((codes & 0x7f7f7f7fu) + 0x01010101u) & 0x80808080u; }

/// e4m3fn codes of x * factor. There is no clamp, because the cast saturates. If a code is NaN, Step computes all codes again,
/// because the contract's clamp may change NaN.
template <class Step>
class CodesByProduct {
 public:
  SIMT_DEVICE explicit CodesByProduct(float factor) : factor_(factor) {}

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    uint32_t nans = 0;
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) {
      codes[i] = e4m3fn_of_products(v + 4 * i, factor_);
      nans |= nan_codes(codes[i]);
    }
    if (nans == 0u) return;
    const CodesByStep<E4m3fnSat, Step> codes_of(factor_);
    codes_of(v, codes);
  }

 private:
  float factor_;
};

/// e4m3fn codes of x / s by two multiplications instead of a division. One product uses a factor below 1 / s, the other a factor
/// above it, so the quotient lies between them. Rounding is monotonic: if both products have the same code, so has the quotient.
/// Otherwise (within two ulp of a tie, or NaN) Step computes the codes from x. If 1 / s is exact, both factors equal it, because
/// ties are then frequent. A factor is NaN if s is NaN or a subnormal up to 2^-128; Step then computes all codes. `doubts` is nonzero
/// if some pair of codes differs or is NaN.
template <class Step>
class CodesByBounds {
 public:
  SIMT_DEVICE explicit CodesByBounds(float s) : divisor_(s) {
    const uint32_t reciprocal = simt::bits(1.0f / s), inexact = (simt::bits(s) & 0x7fffffu) != 0u ? 1u : 0u;
    low_ = simt::from_bits(reciprocal - inexact);
    high_ = simt::from_bits(reciprocal + inexact);
  }

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    uint32_t doubts = 0;
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) {
      codes[i] = e4m3fn_of_products(v + 4 * i, low_);
      doubts |= (codes[i] ^ e4m3fn_of_products(v + 4 * i, high_)) | nan_codes(codes[i]);
    }
    if (doubts == 0u) return;
    const CodesByStep<E4m3fnSat, Step> codes_of(divisor_);
    codes_of(v, codes);
  }

 private:
  float divisor_, low_, high_;
};

/// Computes the codes by the contract's own operations for each value.
template <class Rules>
using CodesByElement = CodesByStep<typename Rules::Code, ElementThenClamp<Rules>>;

template <class Rules, class Element>
inline constexpr bool kSaturatesAfter =
    Rules::kSaturates && std::is_same_v<typename Rules::Code, E4m3fnSat> && std::is_same_v<typename Rules::Element, Element>;

/// Computes the same codes as CodesByElement, by a faster method if there is one.
template <class Rules>
using CodesOf = std::conditional_t<
    kSaturatesAfter<Rules, simt::Divide>, CodesByBounds<ElementThenClamp<Rules>>,
    std::conditional_t<kSaturatesAfter<Rules, simt::Multiply>, CodesByProduct<ElementThenClamp<Rules>>, CodesByElement<Rules>>>;

/// Computes codes of x / s without a clamp, for any s.
template <class Code>
using CodesOfQuotients = std::conditional_t<std::is_same_v<Code, E4m3fnSat>, CodesByBounds<simt::DivideEach>,
                                            CodesByStep<Code, simt::DivideSaturating>>;

// The 16-byte loads that a lane makes from a row of 16-bit elements.

/// kLoads consecutive loads, kept as 32-bit words: each 16-bit element would occupy a register of its own while loads are in flight.
template <int kLoads>
struct LaneWords {
  static constexpr int kNumbers = 8 * kLoads;
  simt::Vector<uint32_t> at[kLoads];

  template <class T>
  SIMT_DEVICE void load(const T* from) {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) at[k] = simt::load16(reinterpret_cast<const uint32_t*>(from) + 4 * k);
  }

  SIMT_DEVICE uint32_t pair(int i) const { return at[i / 4].at[i % 4]; }

  template <class T>
  SIMT_DEVICE void widen_to(float (&v)[kNumbers]) const {
    SIMT_UNROLL
    for (int i = 0; i < kNumbers / 2; ++i) simt::pair_to_floats<T>(pair(i), v[2 * i], v[2 * i + 1]);
  }
};

/// The largest magnitude over kLanes adjacent lanes. All lanes of a warp must call it.
template <class Rules, class T, int kWarp, int kLanes, int kLoads>
SIMT_DEVICE float widest_of_lanes(const LaneWords<kLoads>& words) {
  return simt::lane_reduce<kWarp, kLanes>(widest_of<Rules, T>(words.at), [](float a, float b) { return Rules::widest(a, b); });
}

/// Codes of a lane's 16 elements, four per word; `codes_of` converts and packs them.
template <class T, class Codes>
SIMT_DEVICE simt::Vector<uint32_t> codes_of_lane(const LaneWords<2>& words, const Codes& codes_of) {
  float v[16];
  words.widen_to<T>(v);
  simt::Vector<uint32_t> codes;
  codes_of(v, codes.at);
  return codes;
}

}  // namespace assay_kernels
