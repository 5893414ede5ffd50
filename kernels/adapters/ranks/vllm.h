// Rows of vLLM's all-reduces, from as many files as the release has sources.
#pragma once

#include "together.h"

namespace assay::ranks {

std::vector<Kernel> custom_all_reduce_kernels();
std::vector<Kernel> minimax_kernels();

}  // namespace assay::ranks
