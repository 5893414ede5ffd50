// A row-wise contract in words: what its evaluation made of one element.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/contract_text.h"
#include "reference/flow/row_run.h"
#include "suites/rows/row_case.h"

namespace assay {

/// "0.25  (0x1p-2)", or both ends.
std::string in_words(Span span);

/// Every cell and every step of it, with the span after it. `group`: of the element, where numbers have groups.
std::vector<std::string> trace_lines(const Trace& trace, std::optional<int64_t> group = {});

/// What the evaluation of the element at `row`, `column` does, step by step.
std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
