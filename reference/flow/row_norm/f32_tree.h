// What a tree of f32 additions of some depth can return.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/recipe/span.h"

namespace assay {

/// Of so many roundings one after the other, the largest relative error: k u / (1 - k u), u = 2^-24 (N. J. Higham, Accuracy and
/// Stability, 3.1).
double rounding_error(int64_t roundings);

/// Numbers of the f32 grid inside a real interval: a kernel's sum is one of them.
Span inside_f32(double low, double high);

/// Sums of n squares whose exact sum lies between `least` and `most`, each term rounded so often on its way. All terms have one
/// sign, so the relative error of the sum is at most that of one path (4.2); n 2^-150 is for what falls below the normal range.
Span tree_of_squares(double least, double most, size_t n, int64_t roundings);

}  // namespace assay
