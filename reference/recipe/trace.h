// A recipe step by step, for people: what each step made of one number.
#pragma once

#include "reference/recipe/eval.h"

namespace assay {

struct TracedStep {
  std::string text;  ///< the step as written
  Span result;
};

/// Every step with the span after it.
std::vector<TracedStep> trace(const Recipe& recipe, Span value, const Environment& environment);

}  // namespace assay
