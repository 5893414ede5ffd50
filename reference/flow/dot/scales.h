// Scales of a matrix product: of what each is, and where that of an element's products stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// Of what a scale of a and one of b are. Blocks have 128 rows, 128 products, or both: "1x128" is a row's 128 products.
enum class GemmScales {
  kTensors,
  kTokens,
  kChannels,
  kTokensAndChannels,
  kRowAndTileBlocks,  ///< a: 1x128, b: 128x128 (DeepGEMM 1D2D, cuBLASLt VEC128 by BLK128x128)
  kRowBlocks,         ///< a: 1x128, b: 1x128 (DeepGEMM 1D1D, cuBLASLt VEC128 by VEC128)
  kMxBlocks           ///< a: 1x32, b: 1x32 (MXFP8; cuBLASLt VEC32_UE8M0)
};

/// "tensor", "token", "channel", "token_channel", "1x128_128x128", "1x128_1x128", "1x32_1x32".
const char* name_of(GemmScales scales);
/// Throws std::out_of_range.
GemmScales gemm_scales_named(const std::string& name);

/// Products that share the scales of a block, and rows of a block of both; of MX blocks a quarter of them.
inline constexpr int64_t kScaleBlock = 128, kMxBlock = 32;

/// Whether scales change along k.
inline bool has_blocks(GemmScales scales) { return scales >= GemmScales::kRowAndTileBlocks; }

/// Products that share a scale of blocks.
inline int64_t products_of_scale(GemmScales scales) { return scales == GemmScales::kMxBlocks ? kMxBlock : kScaleBlock; }

/// How many scales one factor has, and which is whose.
struct ScaleShape {
  int64_t rows = 1, columns = 1;  ///< of scales
  int64_t row_block = 0;          ///< rows of the factor that share one; 0: all
  int64_t k_block = 0;            ///< products that share one; 0: all

  int64_t of(int64_t row, int64_t k) const {
    return (row_block > 0 ? row / row_block : 0) * columns + (k_block > 0 ? k / k_block : 0);
  }
  int64_t count() const { return rows * columns; }
};

/// Scales of a [rows, k], and of b [rows, k].
ScaleShape scales_of_a(GemmScales scales, int64_t rows, int64_t k);
ScaleShape scales_of_b(GemmScales scales, int64_t rows, int64_t k);

/// The scales of one factor, row by row.
struct ScaleValues {
  ScaleShape shape;
  std::vector<double> values;

  double at(int64_t row, int64_t k) const { return values[size_t(shape.of(row, k))]; }
  /// Codes for a unit that takes one for every `block` products: [rows, k / block], rounded up. Values are those of codes.
  std::vector<std::byte> codes(const Format& format, int64_t rows, int64_t k, int64_t block) const;
};

}  // namespace assay
