// The families of contracts are compiled apart, for the compiler's sake.
#pragma once

#include "kernels/ops/call.h"

namespace assay_kernels {

/// Each returns false if the call's contract is not of its family.
bool run_vllm_register(const Call& call);
bool run_vllm_shared(const Call& call);
bool run_other_register(const Call& call);
bool run_other_shared(const Call& call);
bool run_int8_register(const Call& call);
bool run_int8_shared(const Call& call);
bool run_int8_token(const Call& call);

}  // namespace assay_kernels
