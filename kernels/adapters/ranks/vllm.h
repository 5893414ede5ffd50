// Rows of the kernel table for vLLM's all-reduces. ranks/build compiles the source files that the release supports.
#pragma once

#include "together.h"

namespace assay::ranks {

std::vector<Kernel> custom_all_reduce_kernels();
std::vector<Kernel> minimax_kernels();
std::vector<Kernel> norms_behind_sums();

/// Returns the address at which the sums of a rank are stored.
using Result = std::function<void*(int rank)>;
/// vLLM's one-stage all-reduce of x, and the areas that it needs. An area has room for the intermediate results of the two-stage
/// kernel, which is as large as the message. The one-stage kernel does not use this room.
void reduce_in_one_stage(const Call& call, const Ranks& ranks, int first, int count, const Result& result);
plugin::AreaRequest signals_and_parts(const Call& call);
void* parts_of(const Ranks& ranks, int rank);

}  // namespace assay::ranks
