#include "reference/recipe/trace.h"

namespace assay {

std::vector<TracedStep> trace(const Recipe& recipe, Span value, const Environment& environment) {
  std::vector<TracedStep> traced;
  Span before = value;  // the step before this one
  for (size_t i = 0; i < recipe.steps.size(); ++i) {
    const Step& step = recipe.steps[i];
    const bool fuses = step.contracted && i > 0;
    Recipe part;
    part.steps = {step};
    if (fuses) part.steps.insert(part.steps.begin(), recipe.steps[i - 1]);
    const Span result = evaluate(part, fuses ? before : value, environment);
    before = value;
    value = result;
    traced.push_back({step.text, value});
  }
  return traced;
}

}  // namespace assay
