#include "reference/casts/source.h"

#include <cmath>

namespace assay {

std::span<const CastSource> cast_sources() {
  static constexpr CastSource sources[] = {{"f32", 32, 23}, {"bf16", 16, 7}, {"f16", 16, 10}, {"f64", 64, 52}};
  return sources;
}

const CastSource* find_cast_source(std::string_view name) {
  for (const CastSource& source : cast_sources())
    if (source.name == name) return &source;
  return nullptr;
}

double value_of(const CastSource& s, uint64_t pattern) {
  const uint64_t rest = pattern & (s.sign() - 1), mantissa = rest & ((uint64_t{1} << s.mantissa_bits) - 1);
  if (rest > s.infinity()) return std::nan("");
  const int field = int(rest >> s.mantissa_bits), bias = (1 << (s.bits - s.mantissa_bits - 2)) - 1;
  const uint64_t hidden = field > 0 ? uint64_t{1} << s.mantissa_bits : 0;
  const double magnitude =
      rest == s.infinity() ? HUGE_VAL : std::ldexp(double(hidden + mantissa), (field > 0 ? field : 1) - bias - s.mantissa_bits);
  return pattern & s.sign() ? -magnitude : magnitude;
}

}  // namespace assay
