#include "reference/recipe/trace.h"

namespace assay {

std::vector<TracedStep> trace(const Recipe& recipe, Span value, const Environment& environment) {
  std::vector<TracedStep> traced;
  for (const Step& step : recipe.steps) {
    Recipe single;
    single.steps = {step};
    value = evaluate(single, value, environment);
    traced.push_back({step.text, value});
  }
  return traced;
}

}  // namespace assay
