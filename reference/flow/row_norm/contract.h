// A bound row of row_norm.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "reference/exact/expression.h"
#include "reference/recipe/step.h"

namespace assay {

// Quantities that no row can name. Edits put them instead of the right ones.
inline constexpr char kUnroundedZ[] = "unrounded z", kTenEps[] = "10 eps", kOneLess[] = "n - 1", kOnePlusW[] = "1 + w";

/// One factor r for each row: row_norm.h runs it.
struct RowNorm {
  static constexpr int64_t kNoColumn = std::numeric_limits<int64_t>::max();
  std::string row;
  Recipe sum;             ///< squares, or deviations from mu; it begins with z, or with what z was before its last rounding
  Expression depth{"0"};  ///< roundings a partial sum may pass through, as a function of n
  Recipe z;               ///< from one number of x to what is normalized, with res = residual; empty: x itself
  Recipe residual;        ///< from z to the residual that is stored; empty without a residual; one that begins with
                          ///< res is made and not stored
  int64_t stored_from = kNoColumn;  ///< column from which y is made of the residual as it is stored
  Recipe mean;                      ///< from the sum of x to its mean mu, with n; empty: none is taken off
  Recipe r;                         ///< from the sum of squares of z, or of x - mu, to r, with n, eps and mu
  Recipe w;                         ///< from gamma to the weight; empty: gamma itself
  Recipe gate;                      ///< from g = gate to what y is multiplied by, h; empty without a gate
  Recipe y;                         ///< from z to the output, with r and w; of a norm that centers with mu and b = beta
  bool deviates() const { return sum.reduction == Reduction::kDeviations; }
  bool adds() const { return !z.empty(); }
  bool centers() const { return !mean.empty(); }
  bool gates() const { return !gate.empty(); }
};

}  // namespace assay
