// Contracts whose kernels are compiled apart from the others, for the compiler's sake.
#pragma once

#include "kernels/ops/call.h"

namespace assay_kernels {

/// By the contract that the call names, one of NormAiterList or NormTokenList (rules.h).
void run_norm_aiter(const Call& call);
void run_norm_token(const Call& call);

}  // namespace assay_kernels
