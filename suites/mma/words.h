// Text about a tensor core: its steps as formulas, and the trace of an element.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/units/unit_definition.h"
#include "suites/mma/mma_case.h"

namespace assay {

/// Every term of the element at row `row` (counted over all tiles) and `column`: its exponent, the truncated bits, the sums and
/// their roundings, instruction by instruction.
std::vector<std::string> trace_element(const MmaCase& c, const Problem& problem, int64_t row, int64_t column);

/// The trace of one block of an element.
void append_block_lines(const Unit& unit, const UnitElement& element, const UnitBlockSeen& block, std::vector<std::string>& lines);

}  // namespace assay
