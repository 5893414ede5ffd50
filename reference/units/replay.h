// Bounds on the result of a tensor core if only its order and exponents are known: each truncation and each rounding of the row
// may happen or not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/recipe/span.h"
#include "reference/units/unit.h"

namespace assay {

/// Whether a unit can be replayed: products of one-byte codes that are aligned and added, without scales of its own.
bool can_be_replayed(const Unit& unit);

/// Sums of one unit as intervals.
///
/// Bound   A term of an aligned sum loses the bits below `fraction_bits` under the largest exponent of the terms and c, or
/// nothing.
///         Every combination of such truncations lies in the span. Truncation is one-sided: a positive term only becomes smaller.
/// Edges   A sum with NaN or infinities is NaN or Inf, as in IEEE 754.
/// Throws  std::invalid_argument for a unit that cannot be replayed.
class Replay {
 public:
  explicit Replay(const Unit& unit);

  /// Runs the instructions for `products` products of two rows of codes, from c = 0. Both ends of the span are numbers of the
  /// unit's d.
  Span chain(const std::byte* a, const std::byte* b, int64_t products);

 private:
  struct Factor {
    double value = 0;
    int exponent = 0;
  };
  struct Term {
    double value = 0;
    int exponent = 0;
  };
  struct Sum {
    Span span;
    int exponent;  ///< to which the terms were aligned
  };

  std::array<Factor, 256> factors_of(const Format& format) const;
  Span instruction(const std::byte* a, const std::byte* b, int64_t products, Span c);
  Span block(const Term* terms, Span c);
  Sum aligned(const Term* terms, int count, int least) const;
  Span joined(const Term* terms, Span c);
  int exponent_of(Span c) const;        ///< largest exponent that a number in `c` can have
  int least_exponent_of(Span c) const;
  Span rounded(Span sum, bool to_nearest, int bits) const;

  Unit unit_;
  std::array<Factor, 256> a_, b_;
  std::vector<int> order_;
  std::vector<Term> terms_;
  std::vector<Sum> sums_;  ///< one per part of a block
};

}  // namespace assay
