// Sums of which a compiler may make a fused multiply-add.
#pragma once

#include "reference/recipe/span.h"

namespace assay {

/// Either of two answers. NaN where both are.
Span either(Span a, Span b);

/// a b + c on intervals of f32 with one rounding. It is affine in each number, so its ends are corners.
Span fused(Span a, Span b, Span c);

}  // namespace assay
