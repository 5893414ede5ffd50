// A number format is defined by a few parameters and a source; decoding, ordering and rounding are derived from them.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>

namespace assay {

/// Which bit patterns are not finite numbers.
enum class Specials {
  kIeee,      ///< exponent all ones: Inf if the mantissa is zero, else NaN
  kFn,        ///< NaN: exponent and mantissa all ones; no Inf (OCP "fn")
  kFnuz,      ///< NaN: only the pattern of negative zero; no Inf, no negative zero (AMD CDNA3)
  kScale,     ///< exponent only, no sign, no zero; all ones is NaN (OCP E8M0)
  kFinite,    ///< every pattern is a finite number (OCP MX elements of 4 and 6 bits)
  kUnsigned,  ///< no sign; only all ones is NaN (the scale of NVFP4)
  kInteger,   ///< two's complement
  kBits       ///< not numeric: the pattern itself, counted from 0
};

struct Format {
  std::string_view name;
  int bits;           ///< width of a code in bits
  int exponent_bits;  ///< 0 for integers
  int mantissa_bits;  ///< stored significand bits; for integers all bits but the sign
  int bias;
  Specials specials;
  std::string_view source;
  bool nan_by_code = false;  ///< true: each NaN code has its own ordinal, for ops whose contract says which NaN they return

  constexpr int precision() const { return mantissa_bits + 1; }  ///< significand bits of a normal number
  /// Exponent of the smallest normal number (for a format with only an exponent: of the smallest number).
  constexpr int min_exponent() const { return specials == Specials::kScale ? -bias : 1 - bias; }
  constexpr uint64_t code_count() const { return uint64_t{1} << bits; }
  /// Bytes per element in memory; a narrow code uses the low bits of a byte.
  constexpr int bytes() const { return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8; }
  constexpr bool is_integer() const { return specials == Specials::kInteger; }
  constexpr bool has_sign() const {
    return specials < Specials::kScale || specials == Specials::kFinite || specials == Specials::kInteger;
  }
  bool operator==(const Format& other) const { return name == other.name; }
};

/// 2^exponent; must be a normal double, as every distance between neighbouring values of a format here is.
constexpr double power_of_two(int exponent) { return std::bit_cast<double>(uint64_t(exponent + 1023) << 52); }

/// Value of a code, including NaN and Inf. Exact, since every value of every format here is a double.
double decode(const Format& format, uint32_t code);

/// Largest finite value, and its code.
double max_finite(const Format& format);
uint32_t max_finite_code(const Format& format);

/// The code of a value of the format. NaN gives the canonical NaN code. Throws std::domain_error if no code has this value.
uint32_t code_of(const Format& format, double value);

/// Position of a code in the order of values. Adjacent values have consecutive ordinals; -0 is directly below +0. All NaN share
/// the ordinal kNanOrdinal, which no number has. If the format distinguishes NaN codes (nan_by_code), NaN codes of f32 lie beyond
/// its infinities, on the side of their sign. The difference of two ordinals is their distance in ulp. It is one larger if the
/// format has a sign bit and zero lies between them.
int32_t ordinal(const Format& format, uint32_t code);
int32_t ordinal_of_value(const Format& format, double value);
uint32_t code_from_ordinal(const Format& format, int32_t ordinal);

inline constexpr int32_t kNanOrdinal = std::numeric_limits<int32_t>::max();

/// True for the ordinal of a NaN. Every number's ordinal lies between the ordinals of fp32's -Inf and Inf.
constexpr bool is_nan_ordinal(int32_t o) { return o > 0x7f800000 || o < -0x7f800001; }

/// How many ulp of the format `a` is above `b`. Both are ordinals of numbers; the two zeros count as one value.
int64_t ulps_between(const Format& format, int32_t a, int32_t b);

}  // namespace assay
