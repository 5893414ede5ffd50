// Fills one tile of inputs. Included by the generators only.
#pragma once

#include <algorithm>
#include <cmath>

#include "harness/probe/draw.h"
#include "harness/probe/instruction.h"

namespace assay {

/// One tile under construction.
class TileFill {
 public:
  TileFill(Tiles& tiles, int64_t tile, Draw& draw) : tiles_(tiles), tile_(tile), draw_(draw), i_(tiles.instruction()) {}

  const Instruction& instruction() const { return i_; }
  Draw& draw() { return draw_; }

  template <class Value>  // per row
  void a(int k, Value value) {
    for (int row = 0; row < i_.m; ++row) tiles_.set_a(tile_, row, k, code_near(*i_.a, value(row)));
  }
  template <class Value>  // per column
  void b(int k, Value value) {
    for (int column = 0; column < i_.n; ++column) tiles_.set_b(tile_, column, k, code_near(*i_.b, value(column)));
  }
  template <class Value>
  void c(Value value) {
    for (int row = 0; row < i_.m; ++row)
      for (int column = 0; column < i_.n; ++column) tiles_.set_c(tile_, row, column, code_near(*i_.d, value()));
  }
  template <class Code>  // all operand elements
  void codes(Code code) {
    for (int k = 0; k < i_.k; ++k) {
      for (int row = 0; row < i_.m; ++row) tiles_.set_a(tile_, row, k, code(*i_.a));
      for (int column = 0; column < i_.n; ++column) tiles_.set_b(tile_, column, k, code(*i_.b));
    }
  }
  template <class Code>
  void c_codes(Code code) {
    for (int row = 0; row < i_.m; ++row)
      for (int column = 0; column < i_.n; ++column) tiles_.set_c(tile_, row, column, code(*i_.d));
  }
  template <class Code>
  void scales(Code code) {
    for (int block = 0; block < i_.scales(); ++block) {
      for (int row = 0; row < i_.m; ++row) tiles_.set_a_scale(tile_, row, block, code(*i_.scale));
      for (int column = 0; column < i_.n; ++column) tiles_.set_b_scale(tile_, column, block, code(*i_.scale));
    }
  }
  /// Random scales: powers of two in [2^low, 2^high], or other numbers of the format of that size.
  void scales_about(int low, int high) {
    scales([&](const Format& f) {
      return code_near(f, draw_.significand(f.mantissa_bits) * std::ldexp(1.0, draw_.between(low, high)));
    });
  }

  double number(const Format& f, int low, int high) {
    return draw_.sign() * draw_.significand(f.mantissa_bits) * std::ldexp(1.0, draw_.between(low, high));
  }
  double power(int low, int high) { return draw_.sign() * std::ldexp(1.0, draw_.between(low, high)); }

 private:
  Tiles& tiles_;
  int64_t tile_;
  Draw& draw_;
  const Instruction& i_;
};

/// Exponents of two factors whose product is about 2^e.
struct Exponents {
  int a, b;
};
inline Exponents factors_of(const Instruction& i, int e) {
  const int half = e >= 0 ? e / 2 : -((1 - e) / 2);
  const int a = std::clamp(half, bottom_exponent(*i.a), top_exponent(*i.a));
  const int b = std::clamp(e - a, bottom_exponent(*i.b), top_exponent(*i.b));
  return {std::clamp(e - b, bottom_exponent(*i.a), top_exponent(*i.a)), b};
}

/// The largest product exponent for which d can hold a sum.
inline int high_product(const Instruction& i) {
  return std::min({top_exponent(*i.a) + top_exponent(*i.b), top_exponent(*i.d) - 2, 40});
}

}  // namespace assay
