// Formats that casts start from, by their bit patterns; f64 is one of them and is no format of tensors.
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

/// Nullptr if there is none of that name.
const CastSource* find_cast_source(std::string_view name);

/// The number that a pattern stands for; exact. NaN and Inf as such.
double value_of(const CastSource& source, uint64_t pattern);

}  // namespace assay
