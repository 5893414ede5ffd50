// From a user's tensors to a case of a matrix product: what shapes and formats say about m, n, k, scales and the result.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// m, n and k come from a [m, k] and b [n, k], the result's format from d, what has a scale from the extents of scale_a and scale_b: of
/// a contract that takes several the first that fits. Block scales lie as the contract's layouts put them in memory: packed, tiled, or
/// strided; the layout whose shape and strides they have is taken. Throws UsageError naming the tensor: none, an empty one, a shape that
/// fits no scales of the contract, storage that two layouts read differently; TableError for what the contract has not.
DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request);

}  // namespace assay
