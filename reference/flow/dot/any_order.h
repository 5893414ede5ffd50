// Results of parts of k that are added to d by atomics: in whatever order they come.
#pragma once

#include <vector>

#include "reference/formats/format.h"
#include "reference/recipe/span.h"

namespace assay {

/// Of so many parts all orders are looked at: 2^8 sets of those that came first.
inline constexpr int kMostAtomicParts = 8;

/// The least and the largest number that +0 becomes if these numbers of a format are added to it in some order, each sum rounded to
/// nearest even.
///
/// Bound   Both ends are reached. A rounded sum does not fall if an addend grows, so the least sum of a set is that of the least sum of
///         all but one of it and this one, for one of them.
/// Edges   NaN if every order gives it, any number if some do: infinities of both signs, and sums beyond the format that meet the other.
Span sum_in_any_order(const std::vector<Span>& parts, const Format& format);

}  // namespace assay
