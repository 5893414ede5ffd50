#include "harness/fill/nearest.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace assay {
namespace {

constexpr int kDoubleMantissaBits = 52;
constexpr int kDoubleBias = 1023;

/// bits >> shift, rounded to nearest, ties to even.
uint64_t shift_to_nearest(uint64_t bits, int shift) {
  if (shift > 54) return 0;  // the result is less than half a unit in the last place
  const uint64_t kept = bits >> shift;
  const uint64_t rest = bits & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  return kept + (rest > half || (rest == half && (kept & 1)) ? 1 : 0);
}

uint32_t nearest_integer(const Format& format, double value) {
  const double largest = max_finite(format);
  return code_of(format, std::nearbyint(std::clamp(value, -largest - 1, largest)));
}

}  // namespace

uint32_t nearest_code(const Format& format, double value) {
  if (std::isnan(value)) return code_of(format, value);
  if (format.is_integer()) return nearest_integer(format, value);
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const uint64_t mantissa = bits & ((uint64_t{1} << kDoubleMantissaBits) - 1);
  const int exponent =
      int(bits >> kDoubleMantissaBits & 0x7ff) - kDoubleBias;  // subnormal doubles are zero in every format here

  if (format.specials == Specials::kScale) {
    const int up = mantissa > uint64_t{1} << (kDoubleMantissaBits - 1) ? 1 : 0;
    return uint32_t(std::clamp(exponent + format.bias + up, 0, int(format.code_count()) - 2));
  }

  const bool negative = bits >> 63;
  const uint32_t sign = negative && format.has_sign() ? 1u << (format.bits - 1) : 0u;
  if (std::isinf(value) && format.specials == Specials::kIeee) return code_of(format, value);

  // The significand with its hidden bit, shifted so that its last place is the format's. The hidden bit carries into the
  // exponent.
  const int below_normal = std::max(0, format.min_exponent() - exponent);
  const uint64_t significand = mantissa | uint64_t{1} << kDoubleMantissaBits;
  const uint64_t rounded = shift_to_nearest(significand, kDoubleMantissaBits - format.mantissa_bits + below_normal);
  const uint64_t base = uint64_t(std::max(0, exponent - format.min_exponent())) << format.mantissa_bits;
  auto magnitude = uint32_t(std::min<uint64_t>(base + rounded, UINT32_MAX));
  const uint32_t last_binades = (1u << format.exponent_bits) - 2;  // only in the last binades can it exceed the largest value
  if (magnitude >> format.mantissa_bits >= last_binades) magnitude = std::min(magnitude, code_of(format, max_finite(format)));
  if (format.specials == Specials::kFnuz && magnitude == 0) return 0;
  return sign | magnitude;
}

}  // namespace assay
