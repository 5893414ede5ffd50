// One exact element of a product of scaled codes: exact block sums, and their scaled sum in long integers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/dot/operand.h"
#include "reference/formats/round.h"

namespace assay {

/// A real number, as the two doubles next to it; both are equal if it is a double. NaN and infinities are in both.
struct ExactElement {
  double low, high;
};

/// y[row, column] = sum over blocks of (scale_a * scale_b) * (sum of a * b in the block). A block is the range of k that shares
/// both scales.
///
/// Error   None: returns the doubles just below and above the exact sum.
/// Edges   Specials follow IEEE 754: NaN if a code or a scale is NaN, if Inf meets 0, as codes of one k, or as a scale and the sum of its
///         block or the other scale, or if both infinities are added; else Inf if one is there. An exact sum of zero is +0.
/// Source  Blocks: S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point summation part I" (2008); their sum: exact/sum.h.
class ExactElements {
 public:
  ExactElements(const DecodedOperand& a, const DecodedOperand& b)
      : a_(a), b_(b), exact_products_(products_exact_in_double(a.format(), b.format())) {}
  ExactElement at(int64_t row, int64_t column);

 private:
  const DecodedOperand& a_;
  const DecodedOperand& b_;
  int64_t exact_products_;
  std::vector<double> row_values_, column_values_;
  int64_t row_ = -1, column_ = -1;  ///< row and column whose values are decoded
};

/// The exact number rounded once to nearest even, to a format of at most 51 bits. Overflow gives Inf, or NaN in a format without
/// Inf.
double nearest(const Format& format, const ExactElement& element);

}  // namespace assay
