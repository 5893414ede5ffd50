// Blocks of many rows, scales of groups that are given, and packed scales gone wrong, each as it went wrong somewhere.
#pragma once

#include "kernels/ops/pack_scales/rules.h"
#include "kernels/ops/quant_static/rules.h"
#include "kernels/ops/quant_tile/block_rules.h"

namespace assay_kernels {

/// The scale of block (r, g) where a column-major tensor has it.
struct BlockScalesTransposed : DeepgemmPerBlockCast {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

/// A block reduced as if it were 1 x 128.
struct BlockRowsForgotten : DeepgemmPerBlockCast {
  static bool counts(int32_t row) { return row % kBlockSide == 0; }
};

/// Loads end with the matrix and not with the row: a block that the edge cuts off is filled up with the next row.
struct BlockReadsPastEdge : DeepgemmPerBlockCast {
  template <class T>
  static simt::Vector<uint32_t> load(const T* x, int32_t row, int32_t first, BlockShape shape, bool whole) {
    return load_of_row(x + int64_t{row} * shape.columns, first, int64_t{shape.rows - row} * shape.columns, whole);
  }
};

/// Row-major places in a tensor whose strides say something else.
struct StaticScalesTransposed : VllmStaticGroup {
  static int64_t row_stride(const assay_tensor& scale) { return scale.shape[1]; }
  static int64_t group_stride(const assay_tensor& /*scale*/) { return 1; }
};

/// Scales that are no powers of two reach a packer that takes them for such: mantissa bits run into the byte before.
struct PackMantissaLeak : DeepgemmPackTorch {
  static uint32_t word(const uint32_t* v) { return DeepgemmPack25::word(v); }
};

/// Groups that a row's last word lacks are not masked: 0xff, a NaN, where 0 is inert.
struct PackAbsentGroups : DeepgemmPack25 {
  static uint32_t absent() { return 0xffffffffu; }
};

/// Rows are taken up to the aligned number, whatever lies there.
struct PackPaddingRows : DeepgemmPack25 {
  static constexpr bool kPadsRows = true;
};

/// Rows between groups are packed like others: whatever lies there.
struct PackGapRows : DeepgemmPackPsum26 {
  static constexpr bool kGaps = false;
};

/// Words of a row beside each other.
struct PackRowMajorWords : DeepgemmPackTorch {
  static int64_t place(int64_t row, int64_t column, int64_t /*padded_rows*/, int64_t words) { return row * words + column; }
};

}  // namespace assay_kernels
