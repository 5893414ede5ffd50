// Writes a unit as text: one formula per step.
#pragma once

#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

std::vector<std::string> unit_lines(const Unit& unit);

}  // namespace assay
