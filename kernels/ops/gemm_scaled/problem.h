// Tensors of a call of gemm_scaled.
#pragma once

#include "kernels/ops/call.h"

namespace assay_kernels {

enum class ResultType : int { kF32, kBf16, kF16 };

struct GemmArguments {
  const uint8_t *a, *b;
  const float *scale_a, *scale_b;
  int64_t step_of_scale_a, step_of_scale_b;  ///< 0: one scale for all
  const void* bias;                          ///< of the type of d; null: none
  void* d;
  ResultType y;
  int64_t m, n, k;
  int64_t part;  ///< products of a part of k: parts are summed apart and added in f32 in their order
};

/// Refuses what is no such call: types of other codes than `a_type` and `b_type`, other shapes, tensors that are not dense. d is
/// never empty unless m or n is 0.
GemmArguments gemm_arguments(const Call& call, int a_type, int b_type, bool takes_bias);

/// Parts of whole tiles of 128 products, as cuBLASLt cuts k.
int64_t part_of(int64_t k, int parts);

}  // namespace assay_kernels
