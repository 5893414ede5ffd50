// Prints a recipe as a formula: "2^ceil(log2(max(amax / 448, 1e-10)))".
#pragma once

#include <string>

#include "reference/recipe/step.h"

namespace assay {

/// `value`: name of the start value. Every operation is rounded to the working format, which is marked unless it is f32.
std::string formula(const Recipe& recipe, const std::string& value);

}  // namespace assay
