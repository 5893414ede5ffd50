// Rounds doubles to a format, and encodes and decodes whole rows.
#include "reference/formats/round.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

double to_integer(double steps, Rounding rounding) {
  switch (rounding) {
    case Rounding::kNearestEven: return std::nearbyint(steps);
    case Rounding::kNearestAway: return std::round(steps);
    case Rounding::kTowardZero: return std::trunc(steps);
    case Rounding::kDown: return std::floor(steps);
    case Rounding::kUp: return std::ceil(steps);
  }
  return steps;
}

double overflowed(const Format& f, double sign, Overflow overflow) {
  if (overflow == Overflow::kSaturate || f.specials == Specials::kFinite) return std::copysign(max_finite(f), sign);
  return f.specials == Specials::kIeee ? std::copysign(HUGE_VAL, sign) : std::nan("");
}

double round_integer(const Format& f, double value, Rounding rounding) {
  return std::clamp(to_integer(value, rounding), -max_finite(f) - 1, max_finite(f));
}

/// round_to() for a format with only an exponent, whose smallest value is 2^min_exponent, not zero.
double round_scale(const Format& f, double value, Rounding rounding, Overflow overflow) {
  if (std::isinf(value)) return overflowed(f, 1.0, overflow);
  const double smallest = power_of_two(f.min_exponent());
  if (value <= smallest) return smallest;
  const double below = power_of_two(std::ilogb(value));
  const bool up = rounding == Rounding::kUp               ? value > below
                  : rounding == Rounding::kNearestAway    ? value >= 1.5 * below
                  : rounding == Rounding::kNearestEven    ? value >= 1.5 * below
                                                          : false;
  const double rounded = up ? 2 * below : below;
  if (rounded <= max_finite(f)) return rounded;
  const bool inward = rounding == Rounding::kTowardZero || rounding == Rounding::kDown;
  return inward ? max_finite(f) : overflowed(f, 1.0, overflow);
}

}  // namespace

double round_to(const Format& f, double value, Rounding rounding, Overflow overflow) {
  if (std::isnan(value)) return value;
  if (f.is_integer()) return round_integer(f, value, rounding);
  if (f.specials == Specials::kScale) return round_scale(f, std::fabs(value), rounding, overflow);
  if (!f.has_sign()) value = std::fabs(value);
  if (std::isinf(value)) return overflowed(f, value, overflow);
  const double step = quantum(value, power_of_two(f.min_exponent()), power_of_two(-f.mantissa_bits));
  const double rounded = to_integer(value / step, rounding) * step;
  if (std::fabs(rounded) > max_finite(f)) {
    const bool inward = rounding == Rounding::kTowardZero || (rounding == Rounding::kDown && value > 0) ||
                        (rounding == Rounding::kUp && value < 0);
    return inward ? std::copysign(max_finite(f), value) : overflowed(f, value, overflow);
  }
  if (rounded == 0) return f.specials == Specials::kFnuz ? 0.0 : std::copysign(0.0, value);
  return rounded;
}

double next_up(const Format& f, double value) {
  if (std::isnan(value) || value == HUGE_VAL) return value;
  if (std::isinf(value)) return -max_finite(f);
  if (value == max_finite(f)) return f.specials == Specials::kIeee ? HUGE_VAL : value;
  if (f.is_integer()) return value + 1;
  if (value == 0) return decode(f, 1);
  const int32_t next = ordinal_of_value(f, value) + 1;
  if (next == -1) return f.specials == Specials::kFnuz ? 0.0 : -0.0;
  return decode(f, code_from_ordinal(f, next));
}

double next_down(const Format& f, double value) {
  if (std::isnan(value)) return value;
  if (f.is_integer()) return value == -max_finite(f) - 1 ? value : value - 1;
  if (!f.has_sign()) {
    const int32_t o = ordinal_of_value(f, value);
    return o == 0 ? value : decode(f, code_from_ordinal(f, o - 1));
  }
  const double next = -next_up(f, -value);
  return next == 0 ? 0.0 : next;
}

namespace {

/// Cached values of all codes of a format with at most 16 bits.
const std::vector<double>& value_table(const Format& f) {
  static std::map<std::string_view, std::vector<double>> tables;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::vector<double>& table = tables[f.name];
  if (table.empty()) {
    table.resize(f.code_count());
    for (uint32_t code = 0; code < f.code_count(); ++code) table[code] = decode(f, code);
  }
  return table;
}

template <class Code>
void decode_by_table(const Format& f, const std::byte* codes, std::span<double> values) {
  const std::vector<double>& table = value_table(f);
  const size_t mask = table.size() - 1;  // for a code narrower than a byte only the low bits count
  for (size_t i = 0; i < values.size(); ++i) {
    Code code;
    std::memcpy(&code, codes + i * sizeof code, sizeof code);
    values[i] = table[code & mask];
  }
}

/// bf16 is the upper half of f32, so no table (65536 doubles, half a megabyte) is needed.
void decode_bf16(const std::byte* codes, std::span<double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t code;
    std::memcpy(&code, codes + i * sizeof code, sizeof code);
    values[i] = std::bit_cast<float>(uint32_t{code} << 16);
  }
}

/// f16 has a double's fields, but narrower and with another exponent bias: a shift and an addition suffice, without a table.
void decode_f16(const std::byte* codes, std::span<double> values) {
  constexpr uint32_t kSign = 0x8000, kFirstNormal = 0x400, kInfinity = 0x7c00;
  constexpr double kStep = 0x1p-24;                            // distance of subnormal numbers
  constexpr uint64_t kBias = uint64_t{1023 - 15} << 52;        // difference of the exponent biases of double and f16
  constexpr int kMantissaBits = 52 - 10, kSignBits = 63 - 15;  // additional bits of a double
  bool all_finite = true;
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t code;
    std::memcpy(&code, codes + i * sizeof code, sizeof code);
    const uint32_t magnitude = code & ~kSign;
    all_finite &= magnitude < kInfinity;
    const double normal = std::bit_cast<double>((uint64_t{magnitude} << kMantissaBits) + kBias),
                 subnormal = int32_t(magnitude) * kStep;
    const auto bits = std::bit_cast<uint64_t>(magnitude < kFirstNormal ? subnormal : normal);
    values[i] = std::bit_cast<double>(bits | uint64_t{code & kSign} << kSignBits);
  }
  for (size_t i = 0; i < values.size() && !all_finite; ++i) {
    uint16_t code;
    std::memcpy(&code, codes + i * sizeof code, sizeof code);
    if ((code & ~kSign) >= kInfinity) values[i] = decode(kF16, code);
  }
}

int32_t sign_magnitude_ordinal(uint32_t bits, uint32_t sign) {
  const auto magnitude = int32_t(bits & ~sign);
  return bits & sign ? -magnitude - 1 : magnitude;
}

/// The top 16 bits of a double (sign, exponent, 4 mantissa bits) identify a value with at most 5 significand bits.
constexpr int kTopBits = 16;
uint32_t top_bits(double value) { return uint32_t(std::bit_cast<uint64_t>(value) >> (64 - kTopBits)); }

const std::vector<int32_t>& ordinal_table(const Format& f) {
  static std::map<std::string_view, std::vector<int32_t>> tables;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::vector<int32_t>& table = tables[f.name];
  if (table.empty()) {
    table.assign(size_t{1} << kTopBits, kNanOrdinal);
    for (uint32_t code = 0; code < f.code_count(); ++code)
      if (const double value = decode(f, code); !std::isnan(value)) table[top_bits(value)] = ordinal(f, code);
  }
  return table;
}

}  // namespace

void decode_all(const Format& f, const std::byte* codes, std::span<double> values) {
  if (f.bytes() == 1) return decode_by_table<uint8_t>(f, codes, values);
  if (f == kBf16) return decode_bf16(codes, values);
  if (f == kF16) return decode_f16(codes, values);
  if (f.bytes() == 2) return decode_by_table<uint16_t>(f, codes, values);
  const bool is_f32 = f == kF32;
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t code;
    std::memcpy(&code, codes + i * sizeof code, sizeof code);
    values[i] = is_f32 ? double(std::bit_cast<float>(code)) : decode(f, code);
  }
}

void ordinals_of_values(const Format& f, std::span<const double> values, std::span<int32_t> ordinals) {
  if (f == kF32 || f == kBf16) {
    const int shift = f == kBf16 ? 16 : 0;
    const uint32_t sign = 0x80000000u >> shift;
    for (size_t i = 0; i < values.size(); ++i) {
      const uint32_t bits = std::bit_cast<uint32_t>(float(values[i])) >> shift;
      ordinals[i] = std::isnan(values[i]) ? kNanOrdinal : sign_magnitude_ordinal(bits, sign);
    }
  } else if (f.bytes() == 1 && !f.is_integer()) {
    const std::vector<int32_t>& table = ordinal_table(f);
    for (size_t i = 0; i < values.size(); ++i) ordinals[i] = table[top_bits(values[i])];
  } else {
    for (size_t i = 0; i < values.size(); ++i) ordinals[i] = ordinal_of_value(f, values[i]);
  }
}

}  // namespace assay
