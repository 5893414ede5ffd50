// Sums that a compiler may turn into fused multiply-adds.
#pragma once

#include "reference/recipe/span.h"

namespace assay {

/// The hull of two results; NaN if both are NaN.
Span either(Span a, Span b);

/// a b + c on f32 intervals with one rounding. It is affine in each argument, so the ends are corners.
Span fused(Span a, Span b, Span c);

}  // namespace assay
