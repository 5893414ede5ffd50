// MXFP8 quantization gone wrong, each as it went wrong somewhere: a contract's rules, or its places of scales, with one line
// wrong.
#pragma once

#include "kernels/ops/quant_mx/aiter.h"
#include "kernels/ops/quant_mx/problem.h"
#include "kernels/ops/quant_mx/torchao.h"
#include "kernels/ops/quant_mx/vllm.h"

namespace assay_kernels {

/// 1 / 0 for a scale that counts as 0: a tiny block saturates and its zeros become NaN.
struct MxUnguardedReciprocal : FlashinferMxfp8 {
  static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : e == 254u ? 0.0f : e8m0_reciprocal(e);
  }
};

/// Two builds of one op that treat a subnormal quotient differently.
struct MxScaleNotFlushed : FlashinferMxfp8 {
  static uint32_t exponent(float amax) { return e8m0_ceil(amax * (1.0f / 448.0f)); }
};

/// Inf has the byte of NaN.
struct MxScaleNotSaturated : FlashinferMxfp8 {
  static uint32_t exponent(float amax) { return simt::bits(amax) == 0x7f800000u ? 255u : FlashinferMxfp8::exponent(amax); }
  static float multiplier(float amax, uint32_t e) { return e == 255u ? e8m0_value(e) : FlashinferMxfp8::multiplier(amax, e); }
};

/// The exponent of amax, not of amax / 2^8.
struct MxNoEmax : TorchaoMxFloor {
  static uint32_t exponent(float amax) {
    const uint32_t e = simt::bits(amax) >> 23;
    return e < 255u ? e : 255u;
  }
};

/// The constant that rounds to the significand of FP4.
struct MxConstantOfFp4 : TorchaoMxEven {
  static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax((b + 0x200000u) >> 23, 255u);
  }
};

/// A maximum that drops NaN where torch's keeps it.
struct MxNanLaundering : TorchaoMxRceil {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};

/// Elements times the scale: the reciprocal was skipped for the path that stores bytes.
struct MxReciprocalSkipped : AiterPer1x32 {
  static float multiplier(float /*amax*/, uint32_t e) { return e == 255u ? simt::from_bits(0x7f800000u) : e8m0_value(e); }
};

/// Bytes of absent blocks and rows are whatever the allocation held.
struct MxStalePadding : FlashinferMxfp8Cute {
  static constexpr bool kWritesPadding = false;
};

struct TransposedBytes : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return g * rows + r; }
};
/// Plain bytes at the beginning of a buffer of tiles, zeros behind them.
struct RowMajorBytes : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return r * groups + g; }
  template <class Rules>
  void write_absent() const {
    const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
    for (int64_t i = rows * groups + first; i < padded_rows * padded_groups; i += threads) data[i] = 0;
  }
};
/// One matrix of all rows, where each expert's rows begin in a tile of their own.
struct OneMatrixOfExperts : ExpertBytesOut {
  int64_t place(int64_t r, int32_t g) const { return place_in_tiles(ScaleTile::k128x4, padded_groups, r, g); }
};

/// Zeros in all of these tiles where no block is.
template <class Places>
void clear_absent(const Places& p, int64_t padded_rows) {
  const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
  for (int64_t i = first; i < padded_rows * p.padded_groups; i += threads)
    if (const int64_t row = i / p.padded_groups, g = i % p.padded_groups; row >= p.rows || g >= p.groups)
      p.data[p.place(row, int32_t(g))] = 0;
}
/// All batches as one matrix.
struct OneMatrixOfBatches : OneMatrixOfExperts {
  template <class Rules>
  void write_absent() const {
    clear_absent(*this, first_scale[experts]);
  }
};
/// The rows beyond a batch's last are left as they were.
struct MxStaleBatches : TorchaoMxFloor {
  static constexpr bool kWritesAbsentRows = false;
};
/// The shuffle of the other AMD chips: 32 rows and 8 blocks a tile.
struct BytesOfOtherChip : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return place_in_tiles(ScaleTile::k32x8, padded_groups, r, g); }
  template <class Rules>
  void write_absent() const {
    clear_absent(*this, padded_rows);
  }
};

/// A contract's kernel whose scales go to other places.
template <class Rules, class Places>
void run_mx_misplaced(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, Places{bytes_out(call, shape)});
}
template <class Rules, class Places>
void run_experts_misplaced(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, Places{expert_bytes_out(call, shape)});
}

}  // namespace assay_kernels
