// Tensors of a call of gemm_block_scaled.
#pragma once

#include "kernels/gemm/operands.h"

namespace assay_kernels {

/// Scales of 128 products of `rows` rows; strides in elements, of packed ones in words, to which `data` then points.
struct BlockScales {
  const float* data;
  int64_t row_stride, block_stride;
  int64_t rows;
};

struct BlockGemmArguments : GemmOperands {
  BlockScales scale_a, scale_b;
  const void* c;  ///< of the type of d: added to the product; null: none
};

inline constexpr int64_t kProductsOfScale = 128;

/// Refuses what is no such call; see gemm_operands(). `rows_of_b`: rows of b that share a scale. `packed`: scales are bytes of int32 words.
BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, bool packed);

}  // namespace assay_kernels
