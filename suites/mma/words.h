// A tensor core in words: its steps as formulas, and what they made of one element.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/units/unit_definition.h"
#include "suites/mma/mma_case.h"

namespace assay {

/// Every term of the element at row `row` of all tiles and at `column`: its exponent, what was cut off, the sums and what they
/// were rounded to, instruction by instruction.
std::vector<std::string> trace_element(const MmaCase& c, const Problem& problem, int64_t row, int64_t column);

/// The same of one block of an element that a unit was given.
void append_block_lines(const Unit& unit, const UnitElement& element, const UnitBlockSeen& block, std::vector<std::string>& lines);

}  // namespace assay
