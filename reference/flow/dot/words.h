// A GEMM in words.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/dot/dot.h"

namespace assay {

/// The contract, a line a step, as formulas; the unit's own lines are those of units/formula.h.
std::vector<std::string> dot_lines(const DotContract& contract);

}  // namespace assay
