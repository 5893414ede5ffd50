// Results of split-k parts that atomics add to d in any order.
#pragma once

#include <vector>

#include "reference/formats/format.h"
#include "reference/recipe/span.h"

namespace assay {

/// Limit of parts, because all 2^8 subsets are evaluated.
inline constexpr int kMostAtomicParts = 8;

/// The least and the largest result of adding these numbers of a format to +0 in any order, each sum rounded to nearest even.
///
/// Bound   Both ends are attained. A rounded sum does not decrease if an addend grows. So the least sum of a set is the least,
/// over
///         its elements, of the element plus the least sum of the others.
/// Edges   NaN if every order gives NaN. Any number if some orders do: Inf of both signs, or overflow that meets the opposite
/// Inf.
Span sum_in_any_order(const std::vector<Span>& parts, const Format& format);

}  // namespace assay
