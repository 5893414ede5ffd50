// Inputs for single instructions, chosen so that models that differ in one step return different bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "harness/probe/instruction.h"
#include "reference/formats/round.h"

namespace assay {

/// One kind of input.
struct ProbeData {
  std::string_view name;
  std::string_view shows;  ///< what it reveals
  bool special;            ///< some operands are NaN or Inf
};

/// All kinds of inputs. Kinds whose results depend on the fewest parameters come first.
std::span<const ProbeData> probe_data();

/// Tiles of that kind. The products of each tile are at random k, and each row and column has its own random numbers. So every
/// element of a tile is a different test. Throws std::out_of_range for an unknown kind.
Tiles probe_tiles(std::string_view kind, const Instruction& instruction, int64_t tiles, uint64_t seed);

/// Inputs and the results that the instruction returned.
struct Observation {
  std::string_view kind;
  Tiles tiles;
  std::vector<uint32_t> d;
};

/// Number of elements for which the model predicts another result; counting stops above `most`.
int64_t mismatches(const Unit& unit, const Observation& seen, int64_t most);

/// The number of tiles that have about `elements` result elements.
int64_t tiles_for(const Instruction& instruction, int64_t elements);

// Random numbers of a format with a chosen exponent.

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  uint32_t bits() { return uint32_t(random_() >> 16); }
  int below(int n) { return int(random_() % uint64_t(n)); }  ///< uniform in [0, n)
  bool coin() { return below(2) == 0; }
  /// Uniform in [low, high]; low if high < low.
  int between(int low, int high) { return high <= low ? low : low + below(high - low + 1); }
  double sign() { return coin() ? 1 : -1; }
  /// 1 <= x < 2 with that many random bits.
  double significand(int bits) { return 1 + std::ldexp(double(random_() & ((uint64_t{1} << bits) - 1)), -bits); }

 private:
  std::mt19937_64 random_;
};

inline int top_exponent(const Format& f) { return std::ilogb(max_finite(f)); }  ///< exponent of the largest finite number
/// Exponent of the format's smallest subnormal number.
inline int bottom_exponent(const Format& f) { return f.is_integer() ? 0 : f.min_exponent() - f.mantissa_bits; }

/// The code of x, rounded toward zero and limited to the format.
inline uint32_t code_near(const Format& f, double x) {
  if (!f.has_sign()) x = std::fabs(x);
  const double value = round_to(f, x, Rounding::kTowardZero, Overflow::kSaturate);
  return code_of(f, value == 0 && f.specials == Specials::kFnuz ? 0.0 : value);
}

/// A random code of a finite number.
inline uint32_t finite_code(const Format& f, Draw& draw) {
  for (;;) {
    const uint32_t code = draw.bits() & uint32_t(f.code_count() - 1);
    if (std::isfinite(decode(f, code))) return code;
  }
}

// Helper that fills one tile of inputs, used only by the generators below.

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
  /// Random scales with exponents in [low, high]: powers of two, or with a random significand if the format has mantissa bits.
  void scales_about(int low, int high) {
    scales([&](const Format& f) {
      return code_near(f, draw_.significand(f.mantissa_bits) * std::ldexp(1.0, draw_.between(low, high)));
    });
  }

  double number(const Format& f, int low, int high) {
    return draw_.sign() * draw_.significand(f.mantissa_bits) * std::ldexp(1.0, draw_.between(low, high));
  }
  double power(int low, int high) { return draw_.sign() * std::ldexp(1.0, draw_.between(low, high)); }  ///< +-2^e, e from low to high

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

/// The largest exponent of a product, chosen so that d can hold a sum of a few such products.
inline int high_product(const Instruction& i) {
  return std::min({top_exponent(*i.a) + top_exponent(*i.b), top_exponent(*i.d) - 2, 40});
}

}  // namespace assay

namespace assay::fills {

// Generators that fill a zeroed tile. Each answers one question about the instruction. `index` counts the tiles of a kind.

// How sums are computed

/// A single product of any magnitude.
void alone(TileFill& tile, int64_t index);
/// Two large products that cancel, plus a small product, a small c, or both. The result shows which of their bits were kept.
void kept(TileFill& tile, int64_t index);
/// A large c, a product of about half an ulp of c, and a smaller product that breaks ties.
void ties(TileFill& tile, int64_t index);
/// Products of different magnitudes at every k, and a c of larger or smaller magnitude. The result shows the order of additions.
void wide(TileFill& tile, int64_t index);
/// Numbers near 1.
void near_one(TileFill& tile, int64_t index);
/// One to three products with many bits, and a c of larger or smaller magnitude.
void addend(TileFill& tile, int64_t index);
/// c of any magnitude, without products.
void c_alone(TileFill& tile, int64_t index);

// Limits of formats, NaN and Inf

/// Tiny and subnormal numbers.
void tiny(TileFill& tile, int64_t index);
/// Two large products with a subnormal factor cancel; the others are small. The result shows which exponent the instruction gave
/// to the large products when it aligned the terms.
void subnormal(TileFill& tile, int64_t index);
/// A few powers of two whose products are near the smallest number of d.
void least(TileFill& tile, int64_t index);
/// Zeros times large factors, beside small products and a small c.
void zeros(TileFill& tile, int64_t index);
/// Products and sums near the largest number of d, and with exponents near the largest one.
void huge(TileFill& tile, int64_t index);
/// Random codes of finite numbers.
void any_bits(TileFill& tile, int64_t index);
/// NaN, Inf, zeros of both signs, and largest and smallest numbers; all other operands are 0 or 1.
void specials(TileFill& tile, int64_t index);
/// All operands are zeros, of both signs.
void signs(TileFill& tile, int64_t index);

}  // namespace assay::fills
