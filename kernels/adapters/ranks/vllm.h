// Rows of vLLM's all-reduces, from as many files as the release has sources.
#pragma once

#include "together.h"

namespace assay::ranks {

std::vector<Kernel> custom_all_reduce_kernels();
std::vector<Kernel> minimax_kernels();
std::vector<Kernel> norms_behind_sums();

/// Where the sums of a rank go.
using Result = std::function<void*(int rank)>;
/// One stage of vLLM's custom all-reduce of x, and the areas that it wants: room for the parts of two stages, which one has no
/// use for, is as long as the message.
void reduce_in_one_stage(const Call& call, const Ranks& ranks, int first, int count, const Result& result);
plugin::AreaRequest signals_and_parts(const Call& call);
void* parts_of(const Ranks& ranks, int rank);

}  // namespace assay::ranks
