// Kinds of random elements that can distinguish units. Included by separate.cpp only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/units/separate.h"

namespace assay {
namespace {

constexpr int kRows = 16, kColumns = 32;

/// Data as in published measurements of units, and sums with cancellation, which show the bits that were kept.
enum class Data { kNearOne, kCancel, kSparse, kTiny, kUnderflow, kHuge, kBits, kSubnormal };
struct DataKind {
  Data data;
  const char* words;
  int batches;  ///< more for kinds whose differences are rare
};
constexpr std::array<DataKind, 8> kKinds = {
    {{Data::kNearOne, "near 1", 16},
     {Data::kCancel, "large terms that cancel, and small ones", 64},
     {Data::kSparse, "mostly zeros", 32},
     {Data::kTiny, "tiny and subnormal", 32},
     {Data::kUnderflow, "powers of two with products about the least number of d", 160},
     {Data::kHuge, "near overflow", 32},
     {Data::kBits, "all bit patterns", 32},
     {Data::kSubnormal, "subnormals times large factors that cancel, and small terms", 32}}};

class Draw {
 public:
  Draw(const Unit& unit, Data data)
      : random_(uint64_t(data) + 1), data_(data), half_((unit.d->min_exponent() - unit.d->mantissa_bits) / 2) {}
  uint64_t below(uint64_t n) { return random_() % n; }
  /// A random subnormal number, and a random power of two of the format's two largest binades.
  uint32_t subnormal(const Format& f) { return 1 + uint32_t(below((uint64_t{1} << f.mantissa_bits) - 1)); }
  uint32_t large(const Format& f) { return code_of(f, std::ldexp(1.0, std::ilogb(max_finite(f)) - int(below(2)))); }

  uint32_t code(const Format& f, bool small = false) {
    if (f.exponent_bits == 0 || data_ == Data::kBits) return uint32_t(random_() & (f.code_count() - 1));
    if (data_ == Data::kSparse && below(4) != 0) return 0;
    if (data_ == Data::kUnderflow) return of_product_about_least(f);
    const int top = std::ilogb(max_finite(f)), least = f.min_exponent();
    int exponent = int(below(5)) - 2;
    if (data_ == Data::kSparse) exponent = int(below(uint64_t(top - least + 4))) + least - 3;
    if (data_ == Data::kCancel)
      exponent = small ? -int(below(uint64_t(std::min(16, -least + f.mantissa_bits)) + 1)) : std::min(top, 6) - int(below(2));
    if (data_ == Data::kSubnormal) exponent = of_small_beside_subnormals(f);
    if (data_ == Data::kTiny) exponent = (below(2) == 0 ? least : least / 2) + int(below(6)) - 4;
    if (data_ == Data::kHuge) exponent = (below(2) == 0 ? top : top / 2) - int(below(3));
    const double x = std::ldexp(1 + double(below(1 << f.mantissa_bits)) * std::ldexp(1.0, -f.mantissa_bits), exponent);
    return code_of(f, round_to(f, f.has_sign() && below(2) == 0 ? -x : x, Rounding::kTowardZero, Overflow::kSaturate));
  }

 private:
  /// The product of two such factors is smaller than that of a subnormal and a large factor.
  int of_small_beside_subnormals(const Format& f) {
    const int reach = std::min(24, f.mantissa_bits - f.min_exponent());
    return -reach + int(below(uint64_t(reach / 2) + 1));
  }
  /// If the format does not reach so low, the scales supply the rest of the exponent.
  uint32_t of_product_about_least(const Format& f) {
    const bool reaches = half_ > f.min_exponent() - f.mantissa_bits;
    const int exponent = reaches ? half_ : 0;
    if (f.has_sign() && below(4) != 0) return 0;
    const int bands[] = {int(below(3)) - 12, int(below(5)) - 2, int(below(25)) - 12};
    const double x = std::ldexp(1.0, exponent + bands[below(3)]);
    return code_of(f, round_to(f, f.has_sign() && below(2) == 0 ? -x : x, Rounding::kTowardZero, Overflow::kSaturate));
  }

  std::mt19937_64 random_;
  Data data_;
  int half_;  ///< exponent of a factor whose square is the least number of d
};

/// Rows of two factors with their scales and c.
struct Batch {
  int k, scale_pitch = 0;
  std::vector<uint32_t> a, b, a_scales, b_scales, c;

  Batch(const Unit& unit, int k, Data data, Draw& draw) : k(k) {
    const auto fill = [&](std::vector<uint32_t>& codes, const Format& f, int n) {
      for (int i = 0; i < n; ++i) codes.push_back(draw.code(f, true));
    };
    fill(a, *unit.a, kRows * k), fill(b, *unit.b, kColumns * k), fill(c, *unit.d, kRows * kColumns);
    if (data == Data::kCancel) cancel(unit, draw, [&](const Format& f, bool) { return draw.code(f); });
    if (data == Data::kSubnormal) {
      const bool of_a = draw.below(2) == 0;
      const auto has = [](const Format& f) { return f.exponent_bits > 0 && f.mantissa_bits > 0; };
      cancel(unit, draw, [&](const Format& f, bool is_a) {
        return !has(f) ? draw.code(f) : is_a == of_a ? draw.subnormal(f) : draw.large(f);
      });
    }
    if (data == Data::kUnderflow) std::fill(c.begin(), c.end(), 0);
    if (!unit.scale) return;
    scale_pitch = (k + unit.scale_block - 1) / unit.scale_block;
    fill(a_scales, *unit.scale, kRows * scale_pitch), fill(b_scales, *unit.scale, kColumns * scale_pitch);
  }

  /// Makes two products of each element large and opposite, at positions that differ per row.
  template <class Code>
  void cancel(const Unit& unit, Draw& draw, Code code) {
    const size_t p = draw.below(uint64_t(k)), q = draw.below(uint64_t(k));
    for (size_t row = 0; row < kRows; ++row) {
      const uint32_t large = code(*unit.a, true);
      a[row * size_t(k) + p] = large;
      a[row * size_t(k) + q] = unit.a->exponent_bits == 0 ? large : code_of(*unit.a, -decode(*unit.a, large));
    }
    for (size_t column = 0; column < kColumns; ++column)
      b[column * size_t(k) + q] = b[column * size_t(k) + p] = code(*unit.b, false);
    for (size_t i = 0; i < c.size(); i += 2) c[i] = 0;
  }

  UnitWitness element(size_t row, size_t column) const {
    const auto part = [](const std::vector<uint32_t>& codes, size_t i, int n) {
      return std::vector<uint32_t>(codes.begin() + std::ptrdiff_t(i * size_t(n)),
                                   codes.begin() + std::ptrdiff_t((i + 1) * size_t(n)));
    };
    UnitWitness one{part(a, row, k), part(b, column, k), {}, {}, c[row * kColumns + column]};
    if (scale_pitch > 0) one.a_scales = part(a_scales, row, scale_pitch), one.b_scales = part(b_scales, column, scale_pitch);
    return one;
  }
};

}  // namespace
}  // namespace assay
