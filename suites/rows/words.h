// A row-wise contract in words: its formulas, and what they made of one element.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/contracts/bind.h"
#include "reference/flow/row.h"
#include "reference/recipe/eval.h"
#include "suites/rows/row_case.h"

namespace assay {

/// "0.25  (0x1p-2)", or both ends.
std::string in_words(Span span);

/// Lines of one cell: what it starts from, and below it every step with the span after it.
void append_cell(std::vector<std::string>& lines, const std::string& cell, const Recipe& recipe, Span value,
                 const Environment& environment);

/// What every step of a norm made of number `column` of a row; returns all of them.
Spans append_norm(std::vector<std::string>& lines, const RowNorm& norm, const RowInputs& inputs, const Format& x, size_t column);

/// One line per cell: "scale = 2^ceil(log2(max(amax / 448, 1e-10)))".
std::vector<std::string> formulas(const Contract& contract);

/// Every step of every cell for the element at `row`, `column`, with the span after it.
std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
