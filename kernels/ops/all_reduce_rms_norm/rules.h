// How ranks share the norm of a row, line by line; a faulty kernel derives from one and replaces a line.
#pragma once

#include "kernels/ops/all_reduce/area.h"

namespace assay_kernels {

/// vllm csrc/libtorch_stable/minimax_reduce_rms_kernel.cu 19e74e70ed minimax_reduce_rms_kernel_lamport.
struct MiniMaxRules {
  static constexpr bool kSecond = false;  ///< a second matrix, k
  static constexpr bool kClears = true;   ///< the buffer of the call before

  /// The all-reduce from +0, rank 0 first.
  SIMT_DEVICE static float total(const float* of_ranks, int ranks, int /*self*/) {
    float sum = 0.0f;
    for (int r = 0; r < ranks; ++r) sum += of_ranks[r];
    return sum;
  }
  /// `columns`: of one rank.
  SIMT_DEVICE static float factor(float sum, int columns, int ranks, float eps) {
    return simt::rsqrt(sum / float(columns) / float(ranks) + eps);
  }
  /// Columns whose squares are added.
  SIMT_DEVICE static int squared(int columns, int /*of a warp*/) { return columns; }
  /// Which of the sums of a row, 0 or 1, makes the factor of the second matrix.
  static constexpr int kSumOfSecond = 1;
  template <class T>
  SIMT_DEVICE static float weight(T gamma) {
    return simt::to_float(gamma);
  }
};

/// minimax_reduce_qk_rms_kernel_lamport_float4 of the same file: the far halves of ranks first, and a product with 1 / columns.
struct MiniMaxQkRules : MiniMaxRules {
  static constexpr bool kSecond = true;
  SIMT_DEVICE static float total(const float* of_ranks, int ranks, int /*self*/) {
    float sums[kMostRanks] = {};
    for (int r = 0; r < ranks; ++r) sums[r] = of_ranks[r];
    for (int apart = ranks / 2; apart > 0; apart /= 2)
      for (int r = 0; r < apart; ++r) sums[r] += sums[r + apart];
    return sums[0];
  }
  SIMT_DEVICE static float factor(float sum, int columns, int ranks, float eps) {
    return simt::rsqrt(sum * (1.0f / float(columns * ranks)) + eps);
  }
};

}  // namespace assay_kernels
