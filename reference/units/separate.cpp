#include "reference/units/separate.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "reference/units/definition.h"
#include "reference/units/predict.h"
#include "reference/units/separate_data.h"

namespace assay {
namespace {

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

/// Reduces a witness one code at a time.
class Shrink {
 public:
  Shrink(const Unit& first, const Unit& second, UnitWitness& witness) : first_(first), second_(second), w_(witness) {}

  /// Sets c to 0 before the products or after them; one of the orders may leave far fewer codes.
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
    return w_.first != w_.second;
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
  /// Candidates: 0, 1, the next lower power of two, and the number with more and more low bits cleared.
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
};

void require_common_input(const Unit& first, const Unit& second) {
  const bool scales = (first.scale == nullptr) == (second.scale == nullptr) &&
                      (!first.scale || (*first.scale == *second.scale && first.scale_block == second.scale_block));
  if (!first.known() || !second.known())
    throw std::invalid_argument("nothing is predicted for " + (first.known() ? second.id : first.id));
  if (*first.a != *second.a || *first.b != *second.b || *first.d != *second.d || !scales)
    throw std::invalid_argument("no input has a result under both: factors, scales or c of " + first.id + " and " + second.id +
                                " are of other formats");
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
  for (const DataKind& kind : kKinds) {
    Draw draw(first, kind.data);
    UnitDifference difference{kind.words};
    std::optional<UnitWitness> witness;
    for (int i = 0; i < kind.batches; ++i) {
      const Batch batch(first, found.k, kind.data, draw);
      const std::vector<uint32_t> one = results(first, batch), other = results(second, batch);
      for (size_t at = 0; at < one.size(); ++at) {
        difference.differ += one[at] != other[at];
        if (one[at] != other[at] && !witness) witness = batch.element(at / kColumns, at % kColumns);
      }
      difference.elements += int64_t(one.size());
    }
    found.data.push_back(difference);
    if (!witness) continue;
    for (const bool c_first : {true, false}) {
      UnitWitness small = *witness;
      Shrink(first, second, small).run(c_first);
      if (!found.witness || Shrink::size_of(small) < Shrink::size_of(*found.witness)) found.witness = small;
    }
  }
  return found;
}

}  // namespace assay
