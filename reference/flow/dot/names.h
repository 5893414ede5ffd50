// Quantities that the cells of a GEMM may name.
#pragma once

#include "reference/formats/format.h"
#include "reference/recipe/parse.h"

namespace assay {

/// From a promoted sum to acc: scales of its block, and acc.
Names names_of_join();
/// From acc to the result in format `y`: scales, a bias, c.
Names names_of_result(const Format& y);

}  // namespace assay
