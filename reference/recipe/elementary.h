// Evaluates a step without a second row, on one number or on an interval.
#pragma once

#include "reference/recipe/span.h"
#include "reference/recipe/step.h"

namespace assay {

/// The number represented by the low bits of an int32.
double low_bits(const Format& integer, double int32);

/// A function of one real, then one rounding to the working format. @throws std::logic_error for a verb with an operand.
double apply(const Step& step, double v);

/// The same for all numbers of an interval.
Span apply(const Step& step, Span v);

/// max or min, with the step's rule for NaN.
double pick(const Step& step, double v, double a);

/// The smallest interval that contains both.
Span hull(Span a, Span b);

}  // namespace assay
