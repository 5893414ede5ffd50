// Writes a unit as the cells of a row: the inverse of read.cpp.
#pragma once

#include <map>
#include <string>

#include "reference/units/unit.h"

namespace assay {

/// The cells of unit_step_columns(). Reading them returns the same steps.
std::map<std::string, std::string> step_cells(const Unit& unit);

}  // namespace assay
