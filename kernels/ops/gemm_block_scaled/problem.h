// Tensors of a call of gemm_block_scaled.
#pragma once

#include "kernels/gemm/operands.h"

namespace assay_kernels {

/// How scales of blocks lie in memory.
struct ScaleLevel {
  int type = ASSAY_FLOAT, bits = 32;       ///< of an element of the tensor
  int64_t in_element = 1;                  ///< scales that an element holds
  int64_t tile_rows = 1, tile_blocks = 1;  ///< of the tile that repeats, rows and blocks padded to whole ones; 1: strides say all
};
inline constexpr ScaleLevel kFloatScales{}, kPackedScales{ASSAY_INT, 32, 4}, kTiledScales{ASSAY_FLOAT8_E8M0FNU, 8, 1, 128, 4};

/// Scales of blocks of `rows` rows; strides in elements of the tensor, of tiles in elements of a row of whole tiles. `data` points to them whatever they are.
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
BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, const ScaleLevel& level, int64_t products);

}  // namespace assay_kernels
