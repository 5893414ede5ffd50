// Where E8M0 bytes of scales are stored: row by row, or in the tiles that block-scaled GEMMs read.
#pragma once

#include "kernels/ops/quant_group/scales_out.h"

namespace assay_kernels {

enum class ScaleTile : int32_t { kNone, k128x4, k8x4, k32x8, k32x4 };

/// Offset of the byte of block g in row r. Sources: flashinfer quantization_utils.cuh (fb28d724) get_sf_out_offset_128x4; aiter
/// mx_quant_utils.h and shuffle.py shuffle_scale_n32k4 (e4048607).
SIMT_DEVICE int64_t place_in_tiles(ScaleTile tile, int64_t padded_groups, int64_t r, int32_t g) {
  switch (tile) {
    case ScaleTile::k128x4:
      return (r >> 7) * 128 * padded_groups + (g >> 2) * 512 + (r & 31) * 16 + (r >> 5 & 3) * 4 + (g & 3);
    case ScaleTile::k8x4:
      return (r >> 3) * 8 * padded_groups + (g >> 2) * 32 + (r & 7) * 4 + (g & 3);
    case ScaleTile::k32x8:
      return (r >> 5) * 32 * padded_groups + (g >> 3) * 256 + (g & 3) * 64 + (r & 15) * 4 + (g >> 2 & 1) * 2 + (r >> 4 & 1);
    case ScaleTile::k32x4:
      return (r >> 5) * 32 * padded_groups + (g >> 2) * 128 + (r & 31) * 4 + (g & 3);
    default:
      return r * padded_groups + g;
  }
}

/// Bytes of an m x G grid of blocks, with whole tiles allocated.
struct BytesOut {
  uint8_t* data;
  int64_t rows, padded_rows;
  int32_t groups, padded_groups;  ///< in a row
  ScaleTile tile;
  Divider by_groups;

  SIMT_DEVICE int64_t place(int64_t r, int32_t g) const { return place_in_tiles(tile, padded_groups, r, g); }

  /// Zeros where the tiles reach beyond the matrix, if the contract has them. The threads of the grid share the work.
  template <class Rules>
  SIMT_DEVICE void write_absent() const {
    if constexpr (Rules::kWritesPadding) {
      const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
      const int32_t absent = padded_groups - groups;
      for (int64_t i = first; i < rows * absent; i += threads) data[place(i / absent, groups + int32_t(i % absent))] = 0;
      for (int64_t i = first; i < (padded_rows - rows) * padded_groups; i += threads)
        data[place(rows + i / padded_groups, int32_t(i % padded_groups))] = 0;
    }
  }
};

/// Rows of experts, or of batches of equal size: one's after the other's, each with tiles of 128 rows of its own.
struct ExpertBytesOut {
  uint8_t* data;
  int64_t rows;
  int32_t groups, padded_groups;
  int32_t experts;
  const int32_t* first_row;    ///< of each expert, and the number of rows
  const int32_t* first_scale;  ///< row of its first tile among the scales: whole tiles lie before it; and the number of all
  Divider by_groups;

  /// The last expert that begins at or before a row; experts without rows begin where the next one does.
  SIMT_DEVICE int32_t expert_of(const int32_t* first, int64_t row) const {
    int32_t low = 0, high = experts - 1;
    while (low < high) {
      const int32_t middle = (low + high + 1) / 2;
      if (first[middle] <= row)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }
  SIMT_DEVICE int64_t place(int64_t row, int32_t g) const {
    const int32_t e = expert_of(first_row, row);
    return int64_t{first_scale[e]} * padded_groups + place_in_tiles(ScaleTile::k128x4, padded_groups, row - first_row[e], g);
  }

  /// Absent blocks of the rows that there are, and the rows beyond each expert's last if the contract has zeros there.
  template <class Rules>
  SIMT_DEVICE void write_absent() const {
    const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
    const int32_t absent = padded_groups - groups;
    for (int64_t i = first; i < rows * absent; i += threads) data[place(i / absent, groups + int32_t(i % absent))] = 0;
    if constexpr (Rules::kWritesAbsentRows) {
      for (int64_t i = first; i < int64_t{first_scale[experts]} * padded_groups; i += threads) {
        const int64_t tile_row = i / padded_groups;
        const int32_t e = expert_of(first_scale, tile_row), g = int32_t(i - tile_row * padded_groups);
        const int64_t row = tile_row - first_scale[e];
        if (row >= first_row[e + 1] - first_row[e])
          data[int64_t{first_scale[e]} * padded_groups + place_in_tiles(ScaleTile::k128x4, padded_groups, row, g)] = 0;
      }
    }
  }
};

}  // namespace assay_kernels
