// Sums of a row that a norm subtracts its mean.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/recipe/span.h"

namespace assay {

/// Sums of x, of any signs, that a tree of f32 additions of the given depth can return: the f32 numbers within depth 2^-24 sum|x|
/// of the exact sum (N. J. Higham, Accuracy and Stability, 4.2). Additions have no error below the normal range.
Span signed_sum(const std::vector<double>& x, int64_t depth);

/// Sums of (x - mu)^2 that such a tree can return for some mu of the span. Each term has three roundings before the tree: twice
/// that of the difference, and that of the square; n 2^-150 is for squares below the normal range.
Span sum_of_deviations(const std::vector<double>& x, Span mu, int64_t depth);

}  // namespace assay
