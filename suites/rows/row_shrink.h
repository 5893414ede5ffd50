// What --minimize may take away of a case of an op that works row by row.
#pragma once

#include "harness/core/bound_case.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Whole groups of rows and of columns, and smaller groups. `multiple_of`: what the kernel wants columns to be multiples of.
Shrinking shrink_rows(const RowCase& c, const std::map<std::string, int64_t>& multiple_of);

}  // namespace assay
