#include "harness/compare/ordinals.h"

#include <cmath>
#include <cstring>

namespace assay {
namespace {

/// Constants for a branch-free conversion of codes to ordinals.
struct Layout {
  int32_t bits;           ///< width of the code in bits
  int32_t sign;           ///< sign bit, or 0
  int32_t largest;        ///< largest magnitude that is not NaN
  int32_t negative_zero;  ///< ordinal of -0 (only the sign bit set)
  int32_t nan, nan_bits;  ///< ordinal of a NaN = nan - (code & nan_bits)
};

Layout layout_of(const Format& format) {
  const bool infinity = format.specials == Specials::kIeee;
  const uint32_t sign = format.has_sign() ? 1u << (format.bits - 1) : 0u;
  const bool fnuz = format.specials == Specials::kFnuz;
  const uint32_t bits = uint32_t(format.code_count() - 1);
  const bool counts_on = format.nan_by_code && format.bits == 32 && infinity;  // NaN codes above Inf map to ordinals like numbers
  return {int32_t(bits),
          int32_t(sign),
          counts_on ? int32_t(~sign) : int32_t(code_of(format, infinity ? HUGE_VAL : max_finite(format))),
          fnuz ? ordinal(format, sign) : -1,
          format.nan_by_code ? kNanOrdinal - 1 : kNanOrdinal,
          format.nan_by_code ? int32_t(bits) : 0};
}

template <class Code>
void convert(const Layout layout, const std::byte* codes, std::span<int32_t> ordinals) {
  for (size_t i = 0; i < ordinals.size(); ++i) {
    Code stored;
    std::memcpy(&stored, codes + i * sizeof(Code), sizeof(Code));
    const int32_t code = int32_t(stored) & layout.bits;
    const int32_t magnitude = code & ~layout.sign;
    const int32_t negative = -int32_t((code & layout.sign) != 0);  // all ones if negative: m ^ -1 is -m - 1
    const int32_t number = magnitude > layout.largest ? layout.nan - (code & layout.nan_bits) : magnitude ^ negative;
    ordinals[i] = number == -1 ? layout.negative_zero : number;
  }
}

template <class Code>
void widen(const std::byte* codes, std::span<int32_t> ordinals) {
  for (size_t i = 0; i < ordinals.size(); ++i) {
    Code code;
    std::memcpy(&code, codes + i * sizeof(Code), sizeof(Code));
    ordinals[i] = code;
  }
}

}  // namespace

void ordinals_of_codes(const Format& format, const std::byte* codes, std::span<int32_t> ordinals) {
  if (format.is_integer()) {
    return format.bytes() == 1 ? widen<int8_t>(codes, ordinals) : widen<int32_t>(codes, ordinals);
  }
  const Layout layout = layout_of(format);
  if (format.bytes() == 1) return convert<uint8_t>(layout, codes, ordinals);
  if (format.bytes() == 2) return convert<uint16_t>(layout, codes, ordinals);
  return convert<uint32_t>(layout, codes, ordinals);
}

bool all_equal(const int32_t* a, const int32_t* b, int64_t count) {
  return std::memcmp(a, b, size_t(count) * sizeof(int32_t)) == 0;
}

}  // namespace assay
