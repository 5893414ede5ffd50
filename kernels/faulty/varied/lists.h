// The kernels of libassay_varied.so, on which the diagnosis is measured; suites/catches/diagnosis.csv says what is to be found.
#pragma once

#include <vector>

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

/// What these kernels cite.
inline constexpr const char* kHere = "suites/catches/diagnosis.csv";

std::vector<Kernel> elsewhere();
std::vector<Kernel> quant_elsewhere();
std::vector<Kernel> two_at_once();
std::vector<Kernel> outside();
std::vector<Kernel> healthy();

}  // namespace assay_kernels
