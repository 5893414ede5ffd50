// What a step without a second row makes of one number and of an interval.
#pragma once

#include "reference/recipe/span.h"
#include "reference/recipe/step.h"

namespace assay {

/// The number that the low bits of an int32 stand for.
double low_bits(const Format& integer, double int32);

/// A function of one real, then one rounding to the working format. @throws std::logic_error for a verb with an operand.
double apply(const Step& step, double v);

/// The same of all numbers of an interval.
Span apply(const Step& step, Span v);

/// max or min, with the step's rule for NaN.
double pick(const Step& step, double v, double a);

/// The least interval that holds both.
Span hull(Span a, Span b);

}  // namespace assay
