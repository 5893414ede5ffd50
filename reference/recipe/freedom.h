// What a step's freedom adds to its correctly rounded result.
#pragma once

#include "reference/recipe/part.h"
#include "reference/recipe/step.h"

namespace assay {

/// Every legal result is within slack_ulps of the working format's steps around the correctly rounded one. A zero stays a zero:
/// it comes from a zero operand, or lies so far below every grid judged here that one f32 subnormal makes no difference; and the
/// sign is not free.
void widen(const Step& step, const RowPart& part);

/// Freedom that depends on what the step took: element by element.
void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part);

}  // namespace assay
