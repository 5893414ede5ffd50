// pack_scales: packs fp32 scales into int32 words of four UE8M0 exponents, by the rules of each contract.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// How four fp32 scales are packed into a word, or one scale is copied unchanged.
// Source: DeepGEMM deep_gemm/include/deep_gemm/impls/smxx_layout.cuh (1f3b8059), csrc/jit_kernels/impls/smxx_layout.hpp
// (0274ad7b).

struct PackRules {
  static constexpr int kValues = 4;         ///< scales per word
  static constexpr bool kPadsRows = false;  ///< true: writes zero words for padding rows
  static constexpr bool kGaps = false;      ///< true: rows form groups, with unused rows between groups
  /// The fp32 bits to use in a row's last word for scales beyond the end of the row.
  SIMT_DEVICE static uint32_t absent() { return 0; }
  /// Index in the output of word `column` of row `row`. Words are stored column-major; a column has padded_rows words.
  SIMT_DEVICE static int64_t place(int64_t row, int64_t column, int64_t padded_rows, int64_t /*words*/) {
    return column * padded_rows + row;
  }
};

/// Shifts would mix the mantissas of other scales into the bytes, so all scales must be powers of two. DeepGEMM before 2.6 does
/// not check this; later releases have a device assert.
struct DeepgemmPack25 : PackRules {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0@2.5";
  SIMT_DEVICE static uint32_t word(const uint32_t* v) { return v[0] >> 23 | v[1] >> 15 | v[2] >> 7 | v[3] << 1; }
};

struct DeepgemmPack26 : DeepgemmPack25 {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0@2.6";
};

/// Rows form groups. `psum_layout` holds the end of each group; the next group starts at the next multiple of the alignment.
/// Words of the rows between groups are zero.
struct DeepgemmPackPsum26 : DeepgemmPack25 {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0_psum@2.6";
  static constexpr bool kGaps = true;
};

/// Implemented in torch: converts x.view(int32) >> 23 to uint8, and views four bytes as an int32. The output tensor is zeroed first.
struct DeepgemmPackTorch : PackRules {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0_torch";
  static constexpr bool kPadsRows = true;
  SIMT_DEVICE static uint32_t word(const uint32_t* v) {
    return (v[0] >> 23 & 255u) | (v[1] >> 23 & 255u) << 8 | (v[2] >> 23 & 255u) << 16 | (v[3] >> 23 & 255u) << 24;
  }
};

struct DeepgemmMnMajorTmaAlignedF32 : PackRules {
  static constexpr const char* kContract = "deepgemm.mn_major_tma_aligned_f32";
  static constexpr int kValues = 1;
  SIMT_DEVICE static uint32_t word(const uint32_t* v) { return v[0]; }
};

/// A list of rules, selected by the contract's id.
template <class... Rules>
struct PackList {
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static void append_ids(std::vector<std::string>& ids) { (ids.push_back(Rules::kContract), ...); }
};

// Packs scales into words in TMA-aligned columns. Row-major scales are transposed in shared memory, so that both reads and writes
// are contiguous. MN-major scales need no transposition.

inline constexpr int kPackThreads = 256;
inline constexpr int kPackRows = 64, kPackWords = 32;  ///< rows and words of the tile that a block packs

struct PackArguments {
  const float* x;
  uint32_t* words;
  int64_t rows, columns;       ///< shape of x
  int64_t padded_rows, count;  ///< output: padded rows per column, and columns of words
  int64_t tiles;               ///< tiles along a row
  int64_t storage;             ///< allocated words of the output
  const int32_t* ends;         ///< end of each group, if rows have gaps
  int64_t groups, alignment;
};

/// True if a row belongs to a group, or, in contracts without groups, if it is a row of x.
template <class Rules>
SIMT_DEVICE bool present(const PackArguments& a, int64_t row) {
  if constexpr (Rules::kGaps) {
    int64_t first = 0;
    for (int64_t g = 0; g < a.groups; ++g) {
      if (row >= first && row < a.ends[g]) return true;
      first = (a.ends[g] + a.alignment - 1) / a.alignment * a.alignment;
    }
    return false;
  }
  return row < a.rows;
}

/// Loads the bits of four consecutive scales of a row, from `column` on. A scale beyond the row, or of an unused row, reads as absent().
template <class Rules>
SIMT_DEVICE void load_scales(const PackArguments& a, int64_t row, int64_t column, uint32_t (&v)[4]) {
  const float* from = a.x + row * a.columns;
  const bool there = present<Rules>(a, row);
  if (there && a.columns % 4 == 0 && column < a.columns) {
    const simt::Vector<float> raw = simt::load16(from + column);
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) v[i] = simt::bits(raw.at[i]);
    return;
  }
  SIMT_UNROLL
  for (int i = 0; i < 4; ++i) v[i] = there && column + i < a.columns ? simt::bits(from[column + i]) : Rules::absent();
}

template <class Rules>
SIMT_DEVICE void store_word(const PackArguments& a, int64_t row, int64_t column, uint32_t word) {
  const int64_t place = Rules::place(row, column, a.padded_rows, a.count);
  if (row < a.rows) {
    a.words[place] = word;
  } else if (Rules::kPadsRows && row < a.padded_rows && place < a.storage) {
    a.words[place] = 0;
  }
}

template <class Rules>
SIMT_KERNEL void pack_rows(PackArguments a) {
  constexpr int kLoadWords = 4 / Rules::kValues;  // 16-byte loads
  constexpr int kLoadsAcross = kPackWords / kLoadWords, kLoads = kPackRows * kLoadsAcross / kPackThreads;
  SIMT_SHARED(tile, uint32_t[kPackWords][kPackRows + 1]);  // one extra column of padding avoids bank conflicts
  const int64_t tile_row = simt::block() / a.tiles, first_word = (simt::block() - tile_row * a.tiles) * kPackWords;
  const int64_t first_row = tile_row * kPackRows;
  uint32_t v[kLoads][4];
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int id = k * kPackThreads + simt::thread();
    load_scales<Rules>(a, first_row + id / kLoadsAcross, first_word * Rules::kValues + id % kLoadsAcross * 4, v[k]);
  }
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int id = k * kPackThreads + simt::thread();
    SIMT_UNROLL
    for (int w = 0; w < kLoadWords; ++w)
      tile[id % kLoadsAcross * kLoadWords + w][id / kLoadsAcross] = Rules::word(v[k] + w * Rules::kValues);
  }
  simt::barrier();
  SIMT_UNROLL
  for (int k = 0; k < kPackRows * kPackWords / kPackThreads; ++k) {
    const int id = k * kPackThreads + simt::thread(), word = id / kPackRows, row = id % kPackRows;
    if (first_word + word < a.count) store_word<Rules>(a, first_row + row, first_word + word, tile[word][row]);
  }
}

/// For MN-major scales: column c of x starts at element c * rows. Each thread packs one word for each of four consecutive rows.
template <class Rules>
SIMT_KERNEL void pack_columns(PackArguments a) {
  const int64_t id = simt::block() * kPackThreads + simt::thread(), quads = a.padded_rows / 4;
  const int64_t column = id / quads, row = (id - column * quads) * 4;
  if (column >= a.count) return;
  const bool whole = a.rows % 4 == 0;
  uint32_t v[4][Rules::kValues];  // for each row
  SIMT_UNROLL
  for (int j = 0; j < Rules::kValues; ++j) {
    const int64_t group = column * Rules::kValues + j;
    simt::Vector<float> raw{};
    if (whole && group < a.columns) raw = simt::load16(a.x + group * a.rows + row);
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) {
      if (!whole && group < a.columns && row + i < a.rows) raw.at[i] = a.x[group * a.rows + row + i];
      v[i][j] = group < a.columns ? simt::bits(raw.at[i]) : Rules::absent();
    }
  }
  SIMT_UNROLL
  for (int i = 0; i < 4; ++i) store_word<Rules>(a, row + i, column, Rules::word(v[i]));
}

template <class Rules>
void run_pack(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.output("scale");
  if (!has_type(x, ASSAY_FLOAT, 32)) unsupported("x must be fp32");
  if (Rules::kValues == 4 ? !has_type(scale, ASSAY_INT, 32) : !has_type(scale, ASSAY_FLOAT, 32))
    unsupported(std::string("scale must have the scale type of contract ") + Rules::kContract);
  if (x.ndim != 2) failed("tensor 'x' must have two dimensions");
  const Shape shape{x.shape[0], x.shape[1]};
  expect_matrix(x, shape);
  expect_aligned(x);
  expect_aligned(scale);
  const int64_t words = (shape.columns + Rules::kValues - 1) / Rules::kValues, padded = (shape.rows + 3) / 4 * 4;
  expect_matrix(scale, {shape.rows, words});
  if (shape.rows == 0 || shape.columns == 0) return;
  if (words > 1 && scale.strides[1] != padded)
    unsupported("the columns of scale must be " + std::to_string(padded) + " elements apart");
  if (shape.rows > 1 && scale.strides[0] != 1) unsupported("scale must be MN-major (column-major)");
  const int64_t tiles = (words + kPackWords - 1) / kPackWords;
  PackArguments a{data_of<float>(x),
                  static_cast<uint32_t*>(scale.data),
                  shape.rows,
                  shape.columns,
                  padded,
                  words,
                  tiles,
                  int64_t(scale.bytes / 4),
                  nullptr,
                  0,
                  1};
  if constexpr (Rules::kGaps) {
    const assay_tensor& ends = call.input("psum_layout");
    if (!has_type(ends, ASSAY_INT, 32) || ends.ndim != 1) unsupported("psum_layout must be a vector of int32");
    a.ends = static_cast<const int32_t*>(ends.data), a.groups = ends.shape[0];
    a.alignment = int64_t(call.number("m_alignment"));
    if (a.alignment < 1) failed("m_alignment must be positive");
  }
  const bool row_major = (shape.columns == 1 || x.strides[1] == 1) && (shape.rows == 1 || x.strides[0] == shape.columns);
  const bool mn_major = (shape.rows == 1 || x.strides[0] == 1) && (shape.columns == 1 || x.strides[1] == shape.rows);
  if (row_major)
    return simt::launch(pack_rows<Rules>, call.grid((shape.rows + kPackRows - 1) / kPackRows * tiles, kPackThreads), a);
  if constexpr (Rules::kGaps) {
    unsupported("with psum_layout, x must be dense and row-major");
  } else {
    if (!mn_major) unsupported("x must be dense, and row-major or MN-major");
    simt::launch(pack_columns<Rules>, call.grid((padded / 4 * words + kPackThreads - 1) / kPackThreads, kPackThreads), a);
  }
}

/// Case parameters that a packer accepts, as describe() of the C ABI lists them.
inline Accepts pack_accepts() { return {{"warp", simt::kWarpSizes}}; }

}  // namespace assay_kernels
