// A recipe as a formula for people: "2^ceil(log2(max(amax / 448, 1e-10)))".
#pragma once

#include <string>

#include "reference/recipe/step.h"

namespace assay {

/// `value` names what the recipe begins with. Every operation is rounded to the working format; where that is not f32 it is marked.
std::string formula(const Recipe& recipe, const std::string& value);

}  // namespace assay
