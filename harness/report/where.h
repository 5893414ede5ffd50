// In which rows, columns and tiles of a tensor its wrong elements lie.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.h"

namespace assay {

/// "rows 512..639 of 4096; columns 0..127 of 2048" and a line for tiles of 128 x 128 and of 64 x 64 elements, which kernels of matrix
/// products compute by: how many of them hold what is wrong, and how many are wrong throughout. Rows and columns are those of the
/// picture's cells. What holds every row and column, or every tile, is not said; empty if nothing is left to say.
std::vector<std::string> where_lines(const TensorFinding& finding);

}  // namespace assay
