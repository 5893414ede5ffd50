// Converts a user's tensors to a GEMM case: infers m, n, k, scales and result format from shapes and formats.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// m, n and k come from a [m, k] and b [n, k], the result's format from d, and the granularity of scales from the extents of
/// scale_a and scale_b (the first that fits, if the contract takes several). Block scales are stored as the contract's layouts
/// state: packed, tiled or strided; the layout with their shape and strides is used. Throws UsageError naming the tensor:
/// missing, empty, a shape that fits no scales of the contract, or storage that two layouts interpret differently. Throws
/// TableError for what the contract does not have.
DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request);

}  // namespace assay
