// Prints the contract of a launch as formulas.
#pragma once

#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// Both contracts of the row, one line per cell.
std::vector<std::string> launch_lines(const std::string& contract, const Format& x);

}  // namespace assay
