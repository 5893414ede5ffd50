// Tensors of a call of gemm_block_scaled.
#pragma once

#include "kernels/gemm/operands.h"

namespace assay_kernels {

/// What a scale is: a number, a byte of an int32 word, or a byte in tiles of 128 rows and 4 blocks.
enum class ScaleForm { kFloat, kPacked, kTiled };

/// Scales of 128 products of `rows` rows, or of 32; strides in elements, of packed ones in words, of bytes in tiles in bytes of a row of
/// whole tiles. `data` points to them whatever they are.
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

/// Refuses what is no such call; see gemm_operands(). `rows_of_b`: rows of b that share a scale. `products`: that share a scale.
BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, ScaleForm form, int64_t products);

}  // namespace assay_kernels
