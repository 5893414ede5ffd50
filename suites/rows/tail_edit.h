// Columns at the end of a row that a kernel does not read.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "suites/rows/row_case.h"

namespace assay {

/// From some column on x counts as zero; which column, the outputs say. Without outputs it is the last eight: 16 bytes of a
/// 16-bit row, the least that a vectorised loop forgets.
Hypothesis tail_hypothesis(const RowCase& c, const Contract& contract);

}  // namespace assay
