// Tensors of a call of gemm_scaled.
#pragma once

#include "kernels/gemm/operands.h"

namespace assay_kernels {

struct GemmArguments : GemmOperands {
  const float *scale_a, *scale_b;
  int64_t step_of_scale_a, step_of_scale_b;  ///< 0: one scale for all
  const void* bias;                          ///< of the type of d; null: none
  const int32_t *azp_adj, *azp;              ///< [n], [m]: of contracts with zero points
};

/// What is taken off sums of integers: nothing, azp_adj, or azp times azp_adj.
enum class Azp { kNone, kTensor, kTokens };

/// Refuses what is no such call: types of other codes than `a_type` and `b_type`, other shapes, tensors that are not dense, and
/// so many products of integers that int32 could overflow. d is never empty unless m or n is 0.
GemmArguments gemm_arguments(const Call& call, int a_type, int b_type, bool takes_bias, Azp azp = Azp::kNone);

}  // namespace assay_kernels
