// Text about a packing: its formulas, and the trace of one word.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/pack_scales/pack_case.h"

namespace assay {

/// The contract, one line per cell.
std::vector<std::string> pack_lines(const Packing& packing);

/// Trace of the word with the scale at `column` of row `row` (counted without gaps): every value, every term, and bits that
/// overlap another byte.
std::vector<std::string> trace_word(const PackCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
