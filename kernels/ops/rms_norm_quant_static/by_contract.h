// For ops behind which this one is the second half.
#pragma once

#include "kernels/ops/call.h"

namespace assay_kernels {

/// By the contract that the call names, one of NormStaticList.
void run_norm_static(const Call& call);

}  // namespace assay_kernels
