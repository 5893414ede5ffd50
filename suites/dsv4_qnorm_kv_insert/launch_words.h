// The contract of a launch in words.
#pragma once

#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// Both contracts that the row names, one line a cell.
std::vector<std::string> launch_lines(const std::string& contract, const Format& x);

}  // namespace assay
