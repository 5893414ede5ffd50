// Formats and their parameters: decoding, ordering, and the catalogue.
#include "reference/formats/format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr uint32_t low_bits(int n) { return n >= 32 ? 0xffffffffu : (1u << n) - 1u; }

uint32_t magnitude_mask(const Format& f) { return f.has_sign() ? low_bits(f.bits - 1) : low_bits(f.bits); }
uint32_t sign_bit(const Format& f) { return f.has_sign() ? 1u << (f.bits - 1) : 0u; }

}  // namespace

uint32_t max_finite_code(const Format& f) {
  switch (f.specials) {
    case Specials::kIeee:
      return (low_bits(f.exponent_bits) << f.mantissa_bits) - 1u;
    case Specials::kFn:
      return magnitude_mask(f) - 1u;
    case Specials::kFnuz:
      return magnitude_mask(f);
    case Specials::kScale:
    case Specials::kUnsigned:
      return low_bits(f.bits) - 1u;
    case Specials::kFinite:
    case Specials::kInteger:
    case Specials::kBits:
      return magnitude_mask(f);
  }
  return 0;
}

namespace {

double decode_integer(const Format& f, uint32_t code) {
  const uint32_t sign = sign_bit(f);
  const int64_t magnitude = code & magnitude_mask(f);
  return double(code & sign ? magnitude - int64_t{sign} : magnitude);
}

/// True if each NaN code has its own ordinal beyond the infinities. With 32 bits, every int32 is then some code's ordinal.
bool has_room_for_nans(const Format& f) { return f.nan_by_code && f.bits == 32 && f.specials == Specials::kIeee; }

/// Value of a finite code without its sign. The distance of neighbouring values of every format here is a normal double.
double decode_magnitude(const Format& f, uint32_t magnitude) {
  if (f.specials == Specials::kScale) return power_of_two(int(magnitude) - f.bias);
  const int exponent = int(magnitude >> f.mantissa_bits);
  const uint32_t mantissa = magnitude & low_bits(f.mantissa_bits);
  const uint32_t hidden = exponent > 0 ? 1u << f.mantissa_bits : 0u;
  return double(hidden + mantissa) * power_of_two(std::max(exponent, 1) - f.bias - f.mantissa_bits);
}

}  // namespace

double max_finite(const Format& f) {
  return f.is_integer() ? decode_integer(f, max_finite_code(f)) : decode_magnitude(f, max_finite_code(f));
}

double decode(const Format& f, uint32_t code) {
  code &= low_bits(f.bits);
  if (f.is_integer()) return decode_integer(f, code);
  const uint32_t magnitude = code & magnitude_mask(f);
  const bool negative = (code & sign_bit(f)) != 0;
  if (f.specials == Specials::kFnuz && negative && magnitude == 0) return std::nan("");
  if (magnitude > max_finite_code(f)) {
    const bool is_inf = f.specials == Specials::kIeee && magnitude == max_finite_code(f) + 1;
    if (!is_inf) return std::nan("");
    return negative ? -HUGE_VAL : HUGE_VAL;
  }
  const double value = decode_magnitude(f, magnitude);
  return negative ? -value : value;
}

uint32_t code_of(const Format& f, double value) {
  if (f.specials == Specials::kIeee && f.exponent_bits == 8 && double(float(value)) == value) {
    const auto bits = std::bit_cast<uint32_t>(float(value));  // bf16, tf32 and f32 are the upper bits of a float
    const int dropped = 23 - f.mantissa_bits;
    if ((bits & low_bits(dropped)) == 0) return bits >> dropped;
  }
  if (std::isnan(value)) {
    switch (f.specials) {
      case Specials::kIeee:
        return (low_bits(f.exponent_bits) << f.mantissa_bits) | (1u << (f.mantissa_bits - 1));
      case Specials::kFn:
        return magnitude_mask(f);
      case Specials::kFnuz:
        return sign_bit(f);
      case Specials::kScale:
      case Specials::kUnsigned:
        return low_bits(f.bits);
      case Specials::kFinite:
      case Specials::kInteger:
      case Specials::kBits:
        break;
    }
    throw std::domain_error("NaN is not a value of " + std::string(f.name));
  }
  const auto off_grid = [&] { return std::domain_error(std::to_string(value) + " is not a value of " + std::string(f.name)); };
  if (f.is_integer()) {
    if (value != std::rint(value) || value > max_finite(f) || value < -max_finite(f) - 1) throw off_grid();
    return uint32_t(int64_t(value)) & low_bits(f.bits);
  }
  const bool negative = std::signbit(value);
  const double magnitude = std::fabs(value);
  if (negative && !f.has_sign()) throw off_grid();
  const uint32_t sign = negative && !(f.specials == Specials::kFnuz && magnitude == 0) ? sign_bit(f) : 0u;
  if (std::isinf(value)) {
    if (f.specials != Specials::kIeee) throw off_grid();
    return sign | (max_finite_code(f) + 1);
  }
  uint32_t code = 0;
  if (magnitude == 0) {
    if (f.specials == Specials::kScale) throw off_grid();
  } else if (f.specials == Specials::kScale) {
    code = uint32_t(std::ilogb(magnitude) + f.bias);
  } else {
    const int exponent = std::max(std::ilogb(magnitude), f.min_exponent());
    const double steps = magnitude * power_of_two(f.mantissa_bits - exponent);  // significand in units of the last place
    code = uint32_t(exponent - f.min_exponent()) << f.mantissa_bits;
    code += uint32_t(int64_t(steps));  // a carry out of the mantissa increments the exponent field
  }
  if (code > max_finite_code(f) || decode_magnitude(f, code) != magnitude) throw off_grid();
  return sign | code;
}

int32_t ordinal(const Format& f, uint32_t code) {
  code &= low_bits(f.bits);
  const int32_t nan = f.nan_by_code ? int32_t(uint32_t(kNanOrdinal - 1) - code) : kNanOrdinal;  // negative codes wrap around
  if (f.is_integer()) return int32_t(decode_integer(f, code));
  const uint32_t magnitude = code & magnitude_mask(f);
  const bool negative = (code & sign_bit(f)) != 0;
  const uint32_t infinity = f.specials == Specials::kIeee ? 1u : 0u;
  if (magnitude > max_finite_code(f) + infinity && !has_room_for_nans(f)) return nan;
  if (f.specials == Specials::kFnuz && negative && magnitude == 0) return nan;
  return negative ? -int32_t(magnitude) - 1 : int32_t(magnitude);
}

uint32_t code_from_ordinal(const Format& f, int32_t o) {
  if (has_room_for_nans(f)) return o < 0 ? sign_bit(f) | uint32_t(-(o + 1)) : uint32_t(o);
  if (o == kNanOrdinal) return code_of(f, std::nan(""));
  if (f.is_integer()) return uint32_t(o) & low_bits(f.bits);
  if (is_nan_ordinal(o)) return uint32_t(kNanOrdinal - 1) - uint32_t(o);
  return o < 0 ? sign_bit(f) | uint32_t(-(o + 1)) : uint32_t(o);
}

int32_t ordinal_of_value(const Format& f, double value) {
  if (std::isnan(value)) return kNanOrdinal;
  return ordinal(f, code_of(f, value));
}

int64_t ulps_between(const Format& f, int32_t a, int32_t b) {
  const int64_t negative_zero = f.is_integer() ? 0 : 1;  // two's complement has no negative zero
  const auto value_place = [&](int64_t o) { return o < 0 ? o + negative_zero : o; };
  return value_place(a) - value_place(b);
}

std::span<const Format> all_formats() {
  static constexpr Format formats[] = {kF32, kBf16, kF16, kE4M3Fn, kE4M3Fnuz, kE5M2, kE5M2Fnuz, kE8M0,
                                       kUe4M3, kE3M2, kE2M3, kE2M1, kTf32, kInt8, kInt32};
  return formats;
}

const Format& with_nans_by_code(const Format& format) {
  static const std::vector<Format> formats = [] {
    std::vector<Format> all(all_formats().begin(), all_formats().end());
    for (Format& f : all) f.nan_by_code = true;
    return all;
  }();
  return *std::find(formats.begin(), formats.end(), format);
}

const Format* find_format(std::string_view name) {
  for (const Format& format : all_formats())
    if (format.name == name) return &format;
  for (const Format* format : {&kUint8, &kInt64})
    if (format->name == name) return format;
  return nullptr;
}

}  // namespace assay
