// Sums over ranks with a norm and a quantization behind them gone wrong.
#pragma once

#include "kernels/faulty/norm_quant_faults.h"
#include "kernels/ops/all_reduce_add_rms_norm/quantized.h"
#include "kernels/ops/rms_norm_quant_group/behind_ranks.h"
#include "kernels/ops/rms_norm_quant_group/token.h"

namespace assay_kernels {

/// A row of zeros is divided by its scale of 0.
struct ZeroScale : AiterArGroup {
  SIMT_DEVICE static float amax(float widest) { return widest; }
};

/// A subnormal scale is kept, and codes are not NaN.
struct ScaleKept : AiterArGroup {
  SIMT_DEVICE static float scale(float amax) { return amax / 448.0f; }
};

/// The last rank comes first.
struct RankOrderDescending : FlushingSum<AbsoluteRules> {
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int ranks) { return ranks - 1 - i; }
};

/// The norm is rounded to 16 bits before its codes.
struct AiterArNormRounded : AiterArAddNorm {
  static constexpr bool kRoundsOutput = true;
};

/// The scale is the power of two below, so that the largest element of a group clips.
struct PackedFloor : TrtllmPacked {
  SIMT_DEVICE static float scale(float amax) {
    return simt::from_bits(simt::bits(simt::max_number(over_constant(amax, 448.0f), 1e-10f)) & 0x7f800000u);
  }
};

}  // namespace assay_kernels
