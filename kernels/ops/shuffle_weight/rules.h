// Where a run of 16 bytes of a weight goes. Source: ROCm/aiter aiter/ops/shuffle.py shuffle_weight, layouts (16, 16) and (32, 16).
#pragma once

#include <cstdint>

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// Of kRows rows the first runs of all, then the second ones, and so on: tiles of 32 columns hold whole runs, so they do not show.
template <int kTileRows>
struct ShuffleTiles {
  static constexpr int kRows = kTileRows;
  /// The place of run `run` of a row in the shuffled expert, in runs.
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t /*runs_of_tile*/) {
    return row / kRows * (runs_of_row * kRows) + run * kRows + row % kRows;
  }
  SIMT_DEVICE static int64_t source(int64_t plain, int64_t) { return plain; }
  SIMT_DEVICE static int64_t target(int64_t, int64_t shuffled) { return shuffled; }
};

template <int kTileRows>
struct UnshuffleTiles : ShuffleTiles<kTileRows> {
  SIMT_DEVICE static int64_t source(int64_t, int64_t shuffled) { return shuffled; }
  SIMT_DEVICE static int64_t target(int64_t plain, int64_t) { return plain; }
};

struct AiterShuffle16 : ShuffleTiles<16> {
  static constexpr const char* kContract = "aiter.shuffle_weight_16x16";
};
struct AiterShuffle32 : ShuffleTiles<32> {
  static constexpr const char* kContract = "aiter.shuffle_weight_32x16";
};
struct Unshuffle16 : UnshuffleTiles<16> {
  static constexpr const char* kContract = "assay.unshuffle_weight_16x16";
};
struct Unshuffle32 : UnshuffleTiles<32> {
  static constexpr const char* kContract = "assay.unshuffle_weight_32x16";
};

}  // namespace assay_kernels
