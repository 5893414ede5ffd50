// The kernels of libassay_varied.so, on which the diagnosis is measured; suites/catches/diagnosis.csv says what is to be found.
#pragma once

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

/// What these kernels cite.
inline constexpr const char* kHere = "suites/catches/diagnosis.csv";
inline const Values kGroups{32, 64, 128};

}  // namespace assay_kernels
