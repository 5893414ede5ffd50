// A packing in words: its formulas, and what it made of one word.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/pack_scales/pack_case.h"

namespace assay {

/// The contract, one line a cell.
std::vector<std::string> pack_lines(const Packing& packing);

/// The word that holds the scale at `column` of the row that is judged as `row`, counted without gaps: every value, every term,
/// and which bits lie in another's byte.
std::vector<std::string> trace_word(const PackCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
