// A unit in words: one line a step, as formulas.
#pragma once

#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

std::vector<std::string> unit_lines(const Unit& unit);

}  // namespace assay
