// Norms over columns of all ranks gone wrong: each the rules of its twin with one mistake.
#pragma once

#include "kernels/ops/all_reduce_rms_norm/run.h"

namespace assay_kernels {

/// A loop over peers that ends one early.
struct SquaresRankDropped : MiniMaxRules {
  SIMT_DEVICE static float total(const float* of_ranks, int ranks, int self) {
    return MiniMaxRules::total(of_ranks, ranks - 1, self);
  }
};

/// Nobody asks the others.
struct SquaresOwnAlone : MiniMaxRules {
  SIMT_DEVICE static float total(const float* of_ranks, int /*ranks*/, int self) { return of_ranks[self]; }
  SIMT_DEVICE static float factor(float sum, int columns, int /*ranks*/, float eps) {
    return MiniMaxRules::factor(sum, columns, 1, eps);
  }
};

/// The sum of all is divided by what one rank has.
struct SquaresColumnsOfOne : MiniMaxRules {
  SIMT_DEVICE static float factor(float sum, int columns, int /*ranks*/, float eps) {
    return MiniMaxRules::factor(sum, columns, 1, eps);
  }
};

/// Columns behind the last whole warp are not squared.
struct SquaresTailDropped : MiniMaxRules {
  SIMT_DEVICE static int squared(int columns, int of_a_warp) { return columns / of_a_warp * of_a_warp; }
};

/// The buffer of the call before is not cleared.
struct SquaresBufferStale : MiniMaxRules {
  static constexpr bool kClears = false;
};

/// Weights are taken for bf16, whatever they are.
struct SquaresGammaAsBf16 : MiniMaxRules {
  template <class T>
  SIMT_DEVICE static float weight(T gamma) {
    if constexpr (sizeof(T) == 2)
      return simt::to_float(simt::Bf16{gamma.bits});
    else
      return gamma;
  }
};

/// k is multiplied by the factor of q.
struct SquaresSecondByFirst : MiniMaxQkRules {
  static constexpr int kSumOfSecond = 0;
};

}  // namespace assay_kernels
