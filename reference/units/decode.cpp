#include "reference/units/decode.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Reads a little-endian code of 1, 2 or 4 bytes.
inline uint32_t word_at(const std::byte* p, int bytes) {
  const auto byte = [&](int i) { return std::to_integer<uint32_t>(p[i]) << (8 * i); };
  if (bytes == 1) return byte(0);
  return bytes == 2 ? byte(0) | byte(1) : byte(0) | byte(1) | byte(2) | byte(3);
}

/// Fields of a code. Flushes subnormals, and takes exponents in another format, if the unit does.
Fields fields_for(const Unit& unit, const Format& format, uint32_t code) {
  Fields f = fields_of(format, code);
  const int32_t normal = 1 << format.mantissa_bits;
  if (unit.flush && std::abs(f.significand) < normal) f.significand = 0;
  if (!unit.exponents_in) return f;
  const int least = unit.exponents_in->min_exponent();
  if (f.significand == 0) f.exponent = least;
  for (; f.significand != 0 && std::abs(f.significand) < normal && f.exponent > least; --f.exponent) f.significand *= 2;
  return f;
}

/// Only significands of a are shifted.
int shift_of(const UnitPlan& plan, int lanes) { return lanes == 0 ? plan.left_shift : 0; }

CodeTable::Halves halves_of(const UnitPlan& plan, Fields f, int lanes) {
  const int32_t significand = f.finite ? f.significand : 0;
  const int sign = lanes == 0 ? (significand < 0 ? -2 : 0) : (significand < 0 ? -1 : 1);
  return {uint16_t(significand == 0 ? kNarrowZero : f.exponent), uint16_t(std::abs(significand) << shift_of(plan, lanes)), uint16_t(sign)};
}

/// Writes decoded numbers to their positions.
class Elements {
 public:
  Elements(const UnitPlan& plan, const Format& format, const CodeTable& table, int lanes, size_t elements, Decoded& decoded)
      : unit_(*plan.unit), format_(format), table_(table), lanes_(lanes), shift_(shift_of(plan, lanes)), decoded_(decoded) {
    if (plan.narrow)
      decoded.narrow.assign(elements / 2 * kNarrowWords, 0);
    else if (unit_.sum == ProductSum::kPairs)
      decoded.value.assign(elements, 0.0f);
    else
      decoded.significand.assign(elements, 0);
    if (unit_.sum == ProductSum::kAligned && unit_.group == 1 && !plan.narrow) decoded.exponent.assign(elements, kZeroExponent);
  }

  /// Writes a row of a narrow block, two steps at a time.
  void put_narrow(size_t row, const uint32_t* codes, size_t steps) {
    const size_t wide = lanes_ == 0 ? 1 : size_t(lanes_);
    int32_t* at = decoded_.narrow.data() + (lanes_ == 0 ? row * steps / 2 * kNarrowWords : row);
    for (size_t i = 0; i < steps; i += 2, at += kNarrowWords * wide) {
      const CodeTable::Halves &low = table_.halves[codes[i]], &high = table_.halves[codes[i + 1]];
      for (size_t word = 0; word < kNarrowWords; ++word)
        at[word * wide] = int32_t(uint32_t(low[word]) | uint32_t(high[word]) << 16);
    }
  }

  /// Returns whether the number is finite.
  bool put(size_t at, uint32_t code, Fields scale) {
    if (unit_.sum == ProductSum::kExact) {
      decoded_.significand[at] = int32_t(int8_t(code));
      return true;
    }
    const Fields f = format_.bits <= 8 ? table_.fields[code] : fields_for(unit_, format_, code);
    const int32_t significand = f.finite ? f.significand : 0;
    if (unit_.sum == ProductSum::kPairs)
      decoded_.value[at] = float(f.finite ? significand * two_to(f.exponent - format_.mantissa_bits) : decode(format_, code));
    else if (unit_.group > 1)
      decoded_.significand[at] = significand * (1 << (f.exponent - format_.min_exponent()));
    else
      decoded_.significand[at] = significand * (1 << shift_),
      decoded_.exponent[at] = significand == 0 && !unit_.zeros_count ? kZeroExponent : f.exponent + scale.exponent;
    return f.finite && scale.finite;
  }

 private:
  const Unit& unit_;
  const Format& format_;
  const CodeTable& table_;
  int lanes_, shift_;
  Decoded& decoded_;
};

}  // namespace

CodeTable::CodeTable(const UnitPlan& plan, const Format& format, int lanes) {
  for (uint32_t code = 0; format.bits <= 8 && code < format.code_count(); ++code) {
    fields[code] = fields_for(*plan.unit, format, code);
    special[code] = fields[code].finite ? 0 : 1;
    if (plan.narrow) halves[code] = halves_of(plan, fields[code], lanes);
  }
}

FactorCodes::FactorCodes(const Unit& unit, const UnitFactor& factor, const Format& format, int64_t k)
    : unit_(unit), factor_(factor), format_(format), k_(k) {}

uint32_t FactorCodes::code(int64_t row, int64_t k) const {
  if (k >= k_) return 0;
  const int64_t at = row * factor_.pitch + k;
  if (factor_.two_in_a_byte) return word_at(factor_.codes + at / 2, 1) >> (at % 2 * 4) & 15;
  const int bytes = format_.bytes();
  const uint32_t word = word_at(factor_.codes + at * bytes, bytes);
  return format_.bits > 16 && bytes == 4 ? word >> (32 - format_.bits) : uint32_t(word & (format_.code_count() - 1));
}

FactorCodes::Lie FactorCodes::lie_of(const std::vector<int64_t>& steps) const {
  const bool bytes = format_.bits == 8 && !factor_.two_in_a_byte;
  if (!bytes || !std::all_of(steps.begin(), steps.end(), [&](int64_t k) { return k < k_; })) return Lie::kAnyhow;
  const bool apart = std::adjacent_find(steps.begin(), steps.end(), [](int64_t k, int64_t next) { return next != k + 1; }) != steps.end();
  return steps.empty() || apart ? Lie::kInside : Lie::kRun;
}

void FactorCodes::read(int64_t row, const std::vector<int64_t>& steps, Lie lie, uint32_t* codes) const {
  const std::byte* const bytes = factor_.codes + row * factor_.pitch;
  const size_t count = steps.size();
  if (lie == Lie::kRun)
    for (size_t i = 0; i < count; ++i) codes[i] = std::to_integer<uint32_t>(bytes[steps[0] + int64_t(i)]);
  else if (lie == Lie::kInside)
    for (size_t i = 0; i < count; ++i) codes[i] = std::to_integer<uint32_t>(bytes[steps[i]]);
  else
    for (size_t i = 0; i < count; ++i) codes[i] = code(row, steps[i]);
}

uint32_t FactorCodes::scale_code(int64_t row, int64_t k) const {
  const uint32_t code = word_at(factor_.scales + row * factor_.scale_pitch + std::min(k, k_ - 1) / unit_.scale_block, 1);
  return uint32_t(code & (unit_.scale->code_count() - 1));
}

double FactorCodes::value(int64_t row, int64_t k) const {
  const double x = decode(format_, code(row, k));
  return unit_.scale ? x * decode(*unit_.scale, scale_code(row, k)) : x;
}

std::vector<int64_t> steps_of(const Unit& unit, int64_t first, int64_t end) {
  std::vector<int64_t> steps;
  const std::vector<int> order = product_order(unit);
  for (int64_t k = first; k < end; k += unit.k)
    for (const int one : order) steps.push_back(k + one);
  return steps;
}

Decoded decode_factor(const UnitPlan& plan, const FactorCodes& codes, const CodeTable& table, int64_t first_row, int rows, int lanes,
                      const std::vector<int64_t>& steps) {
  const Unit& unit = *plan.unit;
  const bool panel = lanes > 0;
  const size_t wide = panel ? size_t(lanes) : 1, n = steps.size(), blocks = n / size_t(unit.take),
               groups = n / size_t(unit.group);
  const size_t of_row = panel ? 1 : n;
  Decoded decoded;
  decoded.steps = int(n);
  Elements elements(plan, codes.format(), table, lanes, n * (panel ? wide : size_t(rows)), decoded);
  decoded.special.assign(panel ? blocks : blocks * size_t(rows), 0);
  if (unit.group > 1) {
    decoded.group_scale.assign(groups * (panel ? wide : size_t(rows)), 0);
    decoded.group_exponent.assign(decoded.group_scale.size(), 0);
  }
  std::vector<uint32_t> row_codes(n);
  const FactorCodes::Lie lie = codes.lie_of(steps);
  for (int row = 0; row < rows; ++row) {
    codes.read(first_row + row, steps, lie, row_codes.data());
    uint8_t* const special = decoded.special.data() + (panel ? 0 : size_t(row) * blocks);
    if (plan.narrow) {
      elements.put_narrow(size_t(row), row_codes.data(), n);
      const uint32_t* code = row_codes.data();
      for (size_t block = 0; block < blocks; ++block)
        for (int i = 0; i < unit.take; ++i) special[block] |= table.special[*code++];
      continue;
    }
    Fields scale{1, 0, true};
    for (size_t i = 0; i < n; ++i) {
      if (unit.scale) scale = fields_of(*unit.scale, codes.scale_code(first_row + row, steps[i]));
      if (!elements.put(size_t(row) * of_row + i * wide, row_codes[i], scale)) special[i / size_t(unit.take)] = 1;
      if (unit.group == 1 || i % size_t(unit.group) != 0) continue;
      const size_t group = size_t(row) * (panel ? 1 : groups) + i / size_t(unit.group) * wide;
      decoded.group_scale[group] = scale.finite ? scale.significand * two_to(scale.exponent - unit.scale->mantissa_bits) : 0;
      decoded.group_exponent[group] = scale.exponent;
    }
  }
  return decoded;
}

}  // namespace assay
