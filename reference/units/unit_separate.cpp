// Searches random operands for which two models of a tensor core differ.
#include "reference/units/unit_separate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/units/unit_definition.h"
#include "reference/units/unit_predict.h"

namespace assay {
namespace {

constexpr int kRows = 16, kColumns = 32;

/// Kinds of data: as in published measurements of tensor cores, and sums with cancellation, which show the bits that were kept.
enum class Data { kNearOne, kCancel, kSparse, kTiny, kUnderflow, kHuge, kBits, kSubnormal };
struct DataKind {
  Data data;
  const char* words;
  int batches;  ///< more for kinds whose differences are rare
};
constexpr std::array<DataKind, 8> kKinds = {
    {{Data::kNearOne, "near 1", 16},
     {Data::kCancel, "large terms that cancel, and small terms", 64},
     {Data::kSparse, "mostly zeros", 32},
     {Data::kTiny, "tiny and subnormal", 32},
     {Data::kUnderflow, "powers of two whose products are near the smallest value of d", 160},
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
  /// A random exponent. The product of two operands with it is below the product of a subnormal and a large operand.
  int of_small_beside_subnormals(const Format& f) {
    const int reach = std::min(24, f.mantissa_bits - f.min_exponent());
    return -reach + int(below(uint64_t(reach / 2) + 1));
  }
  /// A code: mostly 0, otherwise near 2^half_; near 1 if 2^half_ is too small for f, since scales then supply the exponent.
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
  int half_;  ///< exponent of an operand whose square is the smallest value of d
};

/// Rows of two operands with their scales and c.
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

  /// Makes two products of each element large and of opposite sign, at two random k that are the same for all elements.
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

std::vector<std::byte> in_memory(const Format& f, const std::vector<uint32_t>& codes) {
  std::vector<std::byte> bytes;
  for (const uint32_t code : codes) {
    const uint32_t word = f.bits > 16 && f.bits < 32 ? code << (32 - f.bits) : code;
    for (int i = 0; i < f.bytes(); ++i) bytes.push_back(std::byte(word >> (8 * i) & 0xff));
  }
  return bytes;
}

std::vector<uint32_t> results(const Unit& unit, const Batch& batch) {
  const std::vector<std::byte> a = in_memory(*unit.a, batch.a), b = in_memory(*unit.b, batch.b);
  std::vector<std::byte> a_scales, b_scales;
  if (unit.scale) a_scales = in_memory(*unit.scale, batch.a_scales), b_scales = in_memory(*unit.scale, batch.b_scales);
  std::vector<uint32_t> d = batch.c;
  accumulate(unit,
             {{a.data(), batch.k, false, a_scales.data(), batch.scale_pitch},
              {b.data(), batch.k, false, b_scales.data(), batch.scale_pitch},
              batch.k},
             {0, kRows, 0, kColumns}, 0, batch.k, d.data(), kColumns);
  return d;
}

/// True if neither result is NaN. A difference between two NaN codes matters little, because most programs treat all NaN
/// alike.
bool are_numbers(const Format& d, uint32_t one, uint32_t other) {
  return !std::isnan(decode(d, one)) && !std::isnan(decode(d, other));
}

/// Simplifies an input, one code at a time. With `numbers`, results of the simplified input are never NaN.
class Shrink {
 public:
  Shrink(const Unit& first, const Unit& second, UnitWitness& witness, bool numbers)
      : first_(first), second_(second), w_(witness), numbers_(numbers) {}

  /// Tries to set c to 0 before it simplifies products (c_first), or only afterwards. Either order may leave far fewer nonzero
  /// codes.
  void run(bool c_first) {
    for (size_t before = size_of(w_) + 1; size_of(w_) < before;) {
      before = size_of(w_);
      if (c_first) replace(w_.c, {0});
      for (size_t i = 0; i < w_.a.size(); ++i) replace_both(w_.a[i], w_.b[i]);
      replace(w_.c, {0});
      for (std::vector<uint32_t>* scales : {&w_.a_scales, &w_.b_scales})
        for (uint32_t& scale : *scales) replace(scale, {code_of(*first_.scale, 1)});
      for (size_t i = 0; i < w_.a.size(); ++i)
        replace(w_.a[i], simpler(*first_.a, w_.a[i])), replace(w_.b[i], simpler(*first_.b, w_.b[i]));
      replace(w_.c, simpler(*first_.d, w_.c));
    }
    differ();
  }

  /// Number of nonzero codes.
  static size_t size_of(const UnitWitness& w) {
    const auto count = [](const std::vector<uint32_t>& codes) {
      return codes.size() - size_t(std::count(codes.begin(), codes.end(), 0u));
    };
    return count(w.a) + count(w.b) + (w.c != 0 ? 1 : 0);
  }

 private:
  bool differ() {
    const UnitElement element{w_.a, w_.b, w_.a_scales, w_.b_scales};
    w_.first = defined_element(first_, element, w_.c);
    w_.second = defined_element(second_, element, w_.c);
    return w_.first != w_.second && (!numbers_ || are_numbers(*first_.d, w_.first, w_.second));
  }
  void replace(uint32_t& code, const std::vector<uint32_t>& by) {
    for (const uint32_t other : by) {
      const uint32_t was = code;
      if (other == was) return;
      code = other;
      if (differ()) return;
      code = was;
    }
  }
  void replace_both(uint32_t& a, uint32_t& b) {
    const uint32_t was_a = a, was_b = b;
    a = b = 0;
    if (differ()) return;
    a = was_a, b = was_b;
  }
  /// Candidates: 0, 1, the next lower power of two, and the value with more and more low bits cleared.
  static std::vector<uint32_t> simpler(const Format& f, uint32_t code) {
    const double x = decode(f, code);
    if (f.exponent_bits == 0 || !std::isfinite(x) || x == 0) return {0};
    std::vector<uint32_t> all = {0, code_of(f, std::copysign(1.0, x))};
    for (int bits = 0; bits < f.mantissa_bits; ++bits) {
      const double step = std::ldexp(1.0, std::ilogb(x) - bits), cut = std::trunc(x / step) * step;
      all.push_back(code_of(f, cut));
    }
    return all;
  }

  const Unit &first_, &second_;
  UnitWitness& w_;
  const bool numbers_;
};

void require_common_input(const Unit& first, const Unit& second) {
  const bool scales = (first.scale == nullptr) == (second.scale == nullptr) &&
                      (!first.scale || (*first.scale == *second.scale && first.scale_block == second.scale_block));
  if (!first.known() || !second.known())
    throw std::invalid_argument("nothing is predicted for " + (first.known() ? second.id : first.id) +
                                ": its arithmetic is undocumented");
  if (*first.a != *second.a || *first.b != *second.b || *first.d != *second.d || !scales)
    throw std::invalid_argument("the models cannot be compared: operands, scales or c of " + first.id + " and " + second.id +
                                " have different formats");
}

}  // namespace

std::optional<UnitWitness> first_witness(const Unit& first, const Unit& second) {
  require_common_input(first, second);
  const int k = std::lcm(first.k, second.k);
  for (const DataKind& kind : kKinds) {
    Draw draw(first, kind.data);
    for (int i = 0; i < kind.batches; ++i) {
      const Batch batch(first, k, kind.data, draw);
      const std::vector<uint32_t> one = results(first, batch), other = results(second, batch);
      const auto at = size_t(std::mismatch(one.begin(), one.end(), other.begin()).first - one.begin());
      if (at == one.size()) continue;
      UnitWitness witness = batch.element(at / kColumns, at % kColumns);
      witness.first = one[at], witness.second = other[at];
      return witness;
    }
  }
  return std::nullopt;
}

UnitSeparation separate_units(const Unit& first, const Unit& second) {
  require_common_input(first, second);
  UnitSeparation found;
  found.k = std::lcm(first.k, second.k);
  bool found_numbers = false;
  for (const DataKind& kind : kKinds) {
    Draw draw(first, kind.data);
    UnitDifference difference{kind.words};
    std::optional<UnitWitness> witness;
    bool numbers = false;  // whether both results of `witness` are numbers; such a witness is preferred
    for (int i = 0; i < kind.batches; ++i) {
      const Batch batch(first, found.k, kind.data, draw);
      const std::vector<uint32_t> one = results(first, batch), other = results(second, batch);
      for (size_t at = 0; at < one.size(); ++at) {
        difference.differ += one[at] != other[at];
        if (one[at] == other[at] || (witness && numbers)) continue;
        const bool here = are_numbers(*first.d, one[at], other[at]);
        if (witness && !here) continue;
        witness = batch.element(at / kColumns, at % kColumns);
        witness->first = one[at], witness->second = other[at];
        numbers = here;
      }
      difference.elements += int64_t(one.size());
    }
    found.data.push_back(difference);
    if (!witness || (found_numbers && !numbers)) continue;
    if (numbers && !found_numbers) found.witness.reset();
    found_numbers |= numbers;
    for (const bool c_first : {true, false}) {
      UnitWitness small = *witness;
      Shrink(first, second, small, numbers).run(c_first);
      if (!found.witness || Shrink::size_of(small) < Shrink::size_of(*found.witness)) found.witness = small;
    }
  }
  return found;
}

}  // namespace assay
