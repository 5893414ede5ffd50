// What --minimize can reduce in a case of a row-wise op.
#pragma once

#include "harness/core/bound_case.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Whole groups of rows and columns, and smaller groups. `multiple_of`: divisor that the kernel demands of columns.
Shrinking shrink_rows(const RowCase& c, const std::map<std::string, int64_t>& multiple_of);

}  // namespace assay
