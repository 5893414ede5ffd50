// Source formats of casts, as bit patterns. Includes f64, which is not a tensor format.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace assay {

struct CastSource {
  std::string_view name;
  int bits;
  int mantissa_bits;

  uint64_t sign() const { return uint64_t{1} << (bits - 1); }
  uint64_t infinity() const { return sign() - (uint64_t{1} << mantissa_bits); }
  uint64_t last() const { return sign() | (sign() - 1); }  ///< the highest pattern
  bool is_nan(uint64_t pattern) const { return (pattern & (sign() - 1)) > infinity(); }
};

/// f32, bf16, f16, f64.
std::span<const CastSource> cast_sources();

/// Nullptr if there is no such format.
const CastSource* find_cast_source(std::string_view name);

/// The exact value of a pattern, including NaN and Inf.
double value_of(const CastSource& source, uint64_t pattern);

}  // namespace assay
