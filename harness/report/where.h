// Describes which rows, columns and tiles of a tensor contain its wrong elements.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.h"

namespace assay {

/// "rows 512..639 of 4096; columns 0..127 of 2048", and a line for tiles of 128 x 128 and 64 x 64 elements, which GEMM kernels
/// use: how many tiles contain all wrong elements, and how many are completely wrong. Rows and columns have the granularity of
/// the picture's cells. A range that covers everything is left out; the result is empty if nothing remains.
std::vector<std::string> where_lines(const TensorFinding& finding);

}  // namespace assay
