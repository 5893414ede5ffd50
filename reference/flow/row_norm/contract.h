// A bound row of row_norm.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "reference/exact/expression.h"
#include "reference/recipe/step.h"

namespace assay {

/// One factor r for each row: row_norm.h runs it.
struct RowNorm {
  static constexpr int64_t kNoColumn = std::numeric_limits<int64_t>::max();
  std::string row;
  // The next seven differ from these only in neighbours.
  double sum_share = 1;              ///< of the row that is summed, from its beginning; 0: nothing is
  double mean_share = 1;             ///< of the row whose mean is taken
  int64_t lost_degrees = 0;          ///< sums are divided by n less this
  double eps_factor = 1;             ///< of eps as the op takes it
  double weight_offset = 0;          ///< added to gamma in fp32
  bool sum_before_rounding = false;  ///< of a z that is rounded: squares of what it was before
  bool residual_as_it_was = false;   ///< the sum is not stored
  bool deviates = false;             ///< squares are of x - mu, not of x
  Expression depth{"0"};             ///< roundings a partial sum may pass through, as a function of n
  Recipe z;                          ///< from one number of x to what is normalized, with res = residual; empty: x itself
  Recipe residual;                   ///< from z to the residual that is stored; empty without a residual
  int64_t stored_from = kNoColumn;   ///< column from which y is made of the residual as it is stored
  Recipe mean;                       ///< from the sum of x to its mean mu, with n; empty: none is taken off
  Recipe r;                          ///< from the sum of squares of z, or of x - mu, to r, with n, eps and mu
  Recipe w;                          ///< from gamma to the weight; empty: gamma itself
  Recipe y;                          ///< from z to the output, with r and w; of a norm that centers with mu and b = beta
  bool adds() const { return !z.empty(); }
  bool centers() const { return !mean.empty(); }
};

}  // namespace assay
