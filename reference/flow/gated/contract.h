// A bound row of gated.
#pragma once

#include <string>

#include "reference/recipe/step.h"

namespace assay {

/// An activation of one half of a row times the other half; gated.h runs it.
struct Gated {
  std::string row;
  bool gate_first = true;  ///< which half is the gate
  Recipe h;                ///< from the gate to the product, with g = gate and u = up
};

}  // namespace assay
