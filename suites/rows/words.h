// Trace of a row-wise contract: the evaluation of one element.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/contract_text.h"
#include "reference/flow/row_run.h"
#include "suites/rows/row_case.h"

namespace assay {

/// "0.25  (0x1p-2)", or both ends of an interval.
std::string in_words(Span span);

/// Every cell with each of its steps and the interval after it. `group`: the element's group, if there are groups.
std::vector<std::string> trace_lines(const Trace& trace, std::optional<int64_t> group = {});

/// The evaluation of the element at `row`, `column`, step by step.
std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
