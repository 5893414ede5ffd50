// Hypothesis: the kernel does not read the last columns of a row.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "suites/rows/row_case.h"

namespace assay {

/// From some column on, x counts as zero. The column is inferred from the outputs. Without outputs it is the last eight columns:
/// 16 bytes of a 16-bit row, the least that a vectorized loop can miss.
Hypothesis tail_hypothesis(const RowCase& c, const Contract& contract);

}  // namespace assay
