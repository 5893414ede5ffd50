// The contract's answer for a whole case, from the reference's answer for each row.
#pragma once

#include "harness/core/op.h"
#include "reference/contracts/bind.h"
#include "reference/flow/row.h"
#include "reference/recipe/span.h"
#include "suites/rows/inputs.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Scales as the layout's element holds them: f32 as they are; E8M0 takes the exponent field, with NaN for Inf.
Spans as_stored(Spans scale, const Format& element);

/// By which right elements have more than one code, from the first row of a case.
std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x);

/// The contract's answer, a step a row. `outputs` null: from the inputs alone.
Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                        const RowReading& reading = {});

/// Single-step edits of the contract and of the scale layout, each with its own answer.
std::vector<Hypothesis> row_hypotheses(const RowCase& c);

}  // namespace assay
