// Adds the allowed error of a step to its correctly rounded result.
#pragma once

#include "reference/recipe/part.h"
#include "reference/recipe/step.h"

namespace assay {

/// Every legal result is within slack_ulps steps of the working format around the correctly rounded one. A zero stays zero: it
/// comes from a zero operand, or is so far below every output grid that one f32 subnormal makes no difference. The sign is never
/// free.
void widen(const Step& step, const RowPart& part);

/// Slack that depends on a step's argument, element by element.
void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part);

}  // namespace assay
