// What a tensor core may make of an element if nobody knows which of its losses of bits happen: its order and its exponents are those of
// the row, each cut and each rounding may be made or left out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/recipe/span.h"
#include "reference/units/unit.h"

namespace assay {

/// Whether a unit can be replayed: products of codes of a byte that are aligned and added, without scales of its own.
bool can_be_replayed(const Unit& unit);

/// Sums of one unit as spans.
///
/// Bound   A term of an aligned sum loses what lies below `fraction_bits` under the largest exponent of the terms and of c, or nothing;
///         whatever is cut in whichever of these ways, the sum lies in the span. Truncation is one-sided: a positive term can only lose.
/// Edges   A sum with NaN or infinities is theirs: NaN, or Inf.
/// Throws  std::invalid_argument for a unit that cannot be replayed.
class Replay {
 public:
  explicit Replay(const Unit& unit);

  /// Instructions for so many products of two rows of codes, from c = 0; both ends are numbers of the unit's d.
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
    int exponent;  ///< that its terms were aligned to
  };

  std::array<Factor, 256> factors_of(const Format& format) const;
  Span instruction(const std::byte* a, const std::byte* b, int64_t products, Span c);
  Span block(const Term* terms, Span c);
  Sum aligned(const Term* terms, int count, int least) const;
  Span joined(const Term* terms, Span c);
  int exponent_of(Span c) const;        ///< the largest that it may have
  int least_exponent_of(Span c) const;
  Span rounded(Span sum, bool to_nearest, int bits) const;

  Unit unit_;
  std::array<Factor, 256> a_, b_;
  std::vector<int> order_;
  std::vector<Term> terms_;
  std::vector<Sum> sums_;  ///< of the parts of one block
};

}  // namespace assay
