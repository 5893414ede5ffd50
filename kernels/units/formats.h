// Codes of the operands of tensor cores, taken apart into integers. Nothing here is a float: an emulated unit adds integers.
// Included after kernels/simt/simt.h, whose SIMT_DEVICE it needs.
#pragma once

#include <cstdint>

namespace assay_kernels::units {

/// Which codes are no numbers.
enum class Codes {
  kIeee,      ///< exponent all ones: Inf, or NaN if the mantissa is not zero
  kFn,        ///< all ones but the sign is NaN
  kFnuz,      ///< the sign alone is NaN
  kFinite,    ///< none
  kScale,     ///< no mantissa and no sign; all ones is NaN, and there is no zero
  kUnsigned,  ///< the highest bit is not looked at; all ones is NaN
  kInteger    ///< two's complement
};

template <int kBitsOfCode, int kBitsOfMantissa, int kBiasOfExponent, Codes kKindOfCodes, int kBitsInMemory = kBitsOfCode>
struct FormatOf {
  static constexpr int kBits = kBitsOfCode, kMantissa = kBitsOfMantissa, kBias = kBiasOfExponent;
  static constexpr Codes kCodes = kKindOfCodes;
  static constexpr int kMemoryBits = kBitsInMemory;  ///< of an element; a narrower code is its upper bits
  static constexpr int kLeast = 1 - kBias;           ///< exponent of the least normal number
  static constexpr uint32_t kSign = 1u << (kBits - 1);
};

using F32 = FormatOf<32, 23, 127, Codes::kIeee>;
using Tf32 = FormatOf<19, 10, 127, Codes::kIeee, 32>;
using Bf16 = FormatOf<16, 7, 127, Codes::kIeee>;
using F16 = FormatOf<16, 10, 15, Codes::kIeee>;
using E4m3 = FormatOf<8, 3, 7, Codes::kFn>;
using E5m2 = FormatOf<8, 2, 15, Codes::kIeee>;
using E4m3fnuz = FormatOf<8, 3, 8, Codes::kFnuz>;
using E5m2fnuz = FormatOf<8, 2, 16, Codes::kFnuz>;
using E2m1 = FormatOf<4, 1, 1, Codes::kFinite>;
using E8m0 = FormatOf<8, 0, 127, Codes::kScale>;
using Ue4m3 = FormatOf<8, 3, 7, Codes::kUnsigned>;
using Int8 = FormatOf<8, 7, 0, Codes::kInteger>;
using Int32 = FormatOf<32, 31, 0, Codes::kInteger>;

/// A code taken apart: significand 2^(exponent - kMantissa) is its value.
struct Number {
  enum Kind : int16_t { kFinite, kInfinite, kNan };
  int32_t significand;  ///< with its sign; 0 of what is no number
  int16_t exponent;     ///< of a subnormal and of zero that of the least normal number
  Kind kind;
  bool negative;  ///< also of zero, Inf and NaN
};

template <class F>
SIMT_DEVICE Number number_of(uint32_t code) {
  if (F::kCodes == Codes::kInteger) return {F::kBits == 8 ? int32_t(int8_t(code)) : int32_t(code), 0, Number::kFinite, false};
  if (F::kCodes == Codes::kScale) return {1, int16_t(int(code) - F::kBias), code == 0xff ? Number::kNan : Number::kFinite, false};
  const uint32_t rest = code & (F::kSign - 1), fraction = rest & ((1u << F::kMantissa) - 1), field = rest >> F::kMantissa;
  const uint32_t top = (F::kSign - 1) >> F::kMantissa;  // an exponent of all ones
  const bool negative = F::kCodes != Codes::kUnsigned && (code & F::kSign) != 0;
  Number::Kind kind = Number::kFinite;
  if (F::kCodes == Codes::kIeee && field == top) kind = fraction == 0 ? Number::kInfinite : Number::kNan;
  if ((F::kCodes == Codes::kFn || F::kCodes == Codes::kUnsigned) && rest == F::kSign - 1) kind = Number::kNan;
  if (F::kCodes == Codes::kFnuz && code == F::kSign) kind = Number::kNan;
  const auto magnitude = int32_t(kind != Number::kFinite ? 0 : field == 0 ? fraction : fraction | 1u << F::kMantissa);
  return {negative ? -magnitude : magnitude, int16_t(int(field == 0 ? 1 : field) - F::kBias), kind, negative};
}

/// A number of F with the exponent that it has in a wider format; of zero that of the least normal number there.
template <class F, class Wide>
SIMT_DEVICE Number number_in(Number x) {
  if (x.significand == 0) x.exponent = Wide::kLeast;
  while (x.significand != 0 && (x.significand < 0 ? -x.significand : x.significand) >> F::kMantissa == 0 &&
         x.exponent > Wide::kLeast)
    x.significand *= 2, --x.exponent;
  return x;
}

/// Element i of a row in memory.
template <class F>
SIMT_DEVICE uint32_t code_at(const uint8_t* row, int64_t i) {
  if (F::kMemoryBits == 4) return uint32_t(row[i / 2]) >> (i % 2 * 4) & 15u;
  uint32_t word = 0;
  for (int byte = 0; byte < F::kMemoryBits / 8; ++byte) word |= uint32_t(row[i * (F::kMemoryBits / 8) + byte]) << (8 * byte);
  return word >> (F::kMemoryBits - F::kBits);
}

enum class Rounding { kTowardZero, kNearest };

/// The code nearest to +-magnitude 2^lowest with kBitsKept fraction bits, or the next toward zero; Inf beyond. A zero has no
/// sign.
template <class F, int kBitsKept = F::kMantissa>
SIMT_DEVICE uint32_t rounded(bool negative, uint64_t magnitude, int lowest, Rounding rounding) {
  if (magnitude == 0) return 0;
  const int top = 63 - __builtin_clzll(magnitude) + lowest;
  const int exponent = top < F::kLeast ? F::kLeast : top;
  const int drop = exponent - kBitsKept - lowest;  // low bits that do not fit
  uint64_t kept = 0;
  if (drop <= 0) {
    kept = magnitude << -drop;
  } else if (drop < 64) {
    kept = magnitude >> drop;
    const uint64_t half = uint64_t{1} << (drop - 1), lost = magnitude & (2 * half - 1);
    if (rounding == Rounding::kNearest && (lost > half || (lost == half && (kept & 1)))) ++kept;
  }
  if (kept == 0) return 0;
  // The hidden bit counts as one step of the exponent field, and so does a carry into the next binade.
  const uint64_t code = (uint64_t(exponent - F::kLeast) << F::kMantissa) + (kept << (F::kMantissa - kBitsKept));
  const uint64_t infinity = uint64_t((F::kSign - 1) >> F::kMantissa) << F::kMantissa;
  return uint32_t(code < infinity ? code : infinity) | (negative ? F::kSign : 0u);
}

template <class F>
SIMT_DEVICE uint32_t infinity(bool negative) {
  return ((F::kSign - 1) >> F::kMantissa) << F::kMantissa | (negative ? F::kSign : 0u);
}

}  // namespace assay_kernels::units
