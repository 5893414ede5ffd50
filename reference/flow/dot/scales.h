// Scales of a matrix product: of what each is, and where that of an element's products stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/contracts/scale_spec.h"
#include "reference/formats/format.h"

namespace assay {

/// What a scale of a and one of b are. A block's columns are k: "1x128" is a row's 128 products.
struct GemmScales {
  std::string name;  ///< "token_channel", "1x128_128x128", "1x16+tensor_1x16+tensor"
  ScaleSpec a, b;

  /// Whether scales change along k.
  bool has_blocks() const { return a.block().columns > 0; }
  /// Products that share a scale of blocks.
  int64_t products() const { return a.block().columns; }
  /// Whether a row of a and a row of b each have a scale of their own, and all of k shares it.
  bool of_rows() const { return a.block().rows == 1 && b.block().rows == 1 && !has_blocks(); }
  /// Scales of blocks of a [m, k], and of b [n, k].
  LevelGrid of_a(int64_t m, int64_t k) const { return a.block().grid(m, k); }
  LevelGrid of_b(int64_t n, int64_t k) const { return b.block().grid(n, k); }
  bool operator==(const GemmScales& other) const { return name == other.name; }
};

/// `tensor`, `token`, `channel`, `token_channel`, or `A_B` with a scale_spec.h group each: "1x128_128x128" (DeepGEMM 1D2D, cuBLASLt VEC128
/// by BLK128x128), "1x128_1x128" (DeepGEMM 1D1D), "1x32_1x32" (MXFP8), "1x16+tensor_1x16+tensor" (NVFP4). Throws ParseError: another form,
/// blocks along k that differ.
GemmScales gemm_scales_named(const std::string& name);

/// Products of a tile of k in kernels whose scales have no blocks.
inline constexpr int64_t kScaleBlock = 128;

/// The scales of one factor, row by row.
struct ScaleValues {
  LevelGrid shape;
  std::vector<double> values;  ///< none: there are no such scales

  double at(int64_t row, int64_t k) const { return values[size_t(shape.of(row, k))]; }
  /// Codes for a unit that takes one for every `block` products: [rows, k / block], rounded up. Values are those of codes.
  std::vector<std::byte> codes(const Format& format, int64_t rows, int64_t k, int64_t block) const;
};

}  // namespace assay
