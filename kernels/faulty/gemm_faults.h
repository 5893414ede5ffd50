// Faulty GEMM kernels. Each derives from correct rules and replaces a few lines.
#pragma once

#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/gemm/gemm_scaled_rules.h"

namespace assay_kernels {

// Mistakes that any GEMM can have, whatever its scales.

/// Ignores the incomplete last tile of k. A tile has kProducts elements along k.
template <class Right, int kProducts>
struct TailLeftOut : Right {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - k % kProducts; }
};

/// Shuffles the weight twice.
template <class Right>
struct ShuffledTwice : Right {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t all_k) {
    const int64_t once = ShuffledWeight::byte(column, k, all_k);
    return ShuffledWeight::byte(once / all_k, once % all_k, all_k);
  }
};

// The sum of a scaled GEMM: which products are added, and how.

/// Keeps one fraction bit fewer of each term.
struct GemmUnitFractionLess : units::Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 12;
};
struct GemmFractionLess : CublasTensor<GemmUnitFractionLess, 128> {
  static constexpr const char* kContract = TorchTensor::kContract;
};

/// Rounds the result of an instruction to nearest; the instruction truncates.
struct GemmUnitNearest : units::Sm90WgmmaE4m3F32 {
  static constexpr units::Rounding kRounding = units::Rounding::kNearest;
};
struct GemmNearestForTruncation : CublasTensor<GemmUnitNearest> {
  static constexpr const char* kContract = TorchTensorFast::kContract;
};

/// Never promotes the accumulator to fp32; the contract does.
struct GemmPromotionMissing : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = TorchRow::kContract;
};

/// Promotes the accumulator only after every second tile of k; the contract does so after each.
struct GemmPromotionLate : WeightFirst<units::Sm90WgmmaE4m3F32, 256> {
  static constexpr const char* kContract = CutlassRow::kContract;
  static constexpr bool kTakesBias = false;
};

/// Promotes the accumulator where the contract does not.
struct GemmPromotionExtra : WeightFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = VllmScaledMm::kContract;
};

/// Keeps accumulators in fp16.
struct GemmAccumulatorF16 : WeightFirst<units::Sm90WgmmaE4m3F16> {
  static constexpr const char* kContract = TorchRowFast::kContract;
};

/// Decodes OCP codes as fnuz codes, which halves each value.
struct GemmUnitFnuz : units::Sm90WgmmaE4m3F32 {
  using A = units::E4m3fnuz;
  using B = units::E4m3fnuz;
};
struct GemmFnAsFnuz : WeightFirst<GemmUnitFnuz> {
  using CodesOfA = units::E4m3;
  using CodesOfB = units::E4m3;
  static constexpr const char* kContract = VllmScaledMm::kContract;
};

/// Decodes OCP codes as gfx942's fnuz codes, which halves each value.
struct GemmOcpAsFnuz : CkRowwise<units::Gfx942MfmaE4m3fnuzF32> {
  using CodesOfA = units::E4m3;
  using CodesOfB = units::E4m3;
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8.gfx950";
};

/// Ignores the elements along k after the last whole instruction. gfx950's int8 instruction has 64 elements along k.
using GemmTailDropped = TailLeftOut<TorchTensor, 32>;
using GemmUnknownTail = TailLeftOut<UnknownTensor, 32>;
using GemmInt8Tail = TailLeftOut<AiterGemmA8w8Int8Gfx950, 64>;

/// Ignores half of the elements along k after the last whole tile.
struct GemmTailHalfUsed : TorchTensor {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - k % 128 / 2; }
};

/// The bound for rows is one too low: the last row is computed from the row of `a` before it.
struct GemmLastRow : VllmScaledMmSwapAb {
  SIMT_DEVICE static int64_t row_of_a(int64_t row, int64_t m) { return row == m - 1 && m > 1 ? m - 2 : row; }
};

/// Race: does not wait for the copy of its rows of `a`, and reads the rows of the previous tile.
struct GemmTileBefore : TorchRowFast {
  SIMT_DEVICE static int64_t row_of_a(int64_t row, int64_t /*m*/) { return row >= 64 ? row - 64 : row; }
};

/// Reads the weight [n, k] as if it were [k, n].
struct GemmWeightTransposed : TorchRowFast {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t n, int64_t /*all_k*/) { return k * n + column; }
};

using GemmGfx950WeightTwice = ShuffledTwice<AiterBpreshuffleGfx950<units::Gfx950MfmaE4m3AsGfx942>>;

/// Leaves out the last product: the loop over k ends one step early.
struct GemmInt8LastProduct : VllmScaledMmInt8 {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - 1; }
};

/// Adds along k in ascending order; the lanes of the real instruction take strided elements.
struct GemmKAscending : OfShuffledWeight<FlushedWeightFirst<units::Gfx942MfmaE4m3fnuzF32>> {
  static constexpr const char* kContract = AiterBpreshuffle::kContract;
  static constexpr bool kTakesBias = false;
};

/// Keeps subnormals, as in a build without the flag that flushes them.
struct GemmSubnormalsKept : LaneOrder<WeightFirst<units::Gfx942MfmaE4m3fnuzF32>, 4, 32> {
  static constexpr const char* kContract = AiterGemmA8w8Fnuz::kContract;
};

/// Does not add +0 after multiplying by both scales, so a result of -0 stays -0.
struct GemmZeroNotAdded : TensorScaled<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = TorchTensor::kContract;
};

/// Adds the split-K parts before they are scaled and rounded; the contract adds them afterwards.
struct GemmSplitKInF32 : AiterBpreshuffle {
  static constexpr const char* kContract = AiterBpreshuffleSplitK::kContract;
};

/// Never adds the last split-K part.
struct GemmSplitKPartLost : AiterBpreshuffleSplitK {
  SIMT_DEVICE static bool keeps_part(int64_t first, int64_t end, int64_t k) { return first == 0 || end < k; }
};

/// Passes the previous sum to each dot as its accumulator, so sums are never promoted to fp32.
struct GemmDotFolded : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = TritonDotAdded::kContract;
  static constexpr bool kTakesBias = false;
};

/// Race: the last split-K part arrives too late and is not added.
struct GemmSplitRace : TorchTensor {
  SIMT_DEVICE static bool keeps_part(int64_t first, int64_t end, int64_t k) { return first == 0 || end < k; }
};

// The epilogue of a scaled GEMM: how scales, zero points and a bias are applied to a correct sum.

/// Exchanges the scales of rows and columns.
struct GemmScalesSwapped : TorchRowFast {
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) {
    return TorchRowFast::scale_of_column(x, row % x.n);
  }
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t column) {
    return TorchRowFast::scale_of_row(x, column % x.m);
  }
};

/// Uses the scale of the next row.
struct GemmTokenScaleNext : TorchRow {
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) {
    return TorchRow::scale_of_row(x, (row + 1) % x.m);
  }
};

/// Uses the scale of the first channel for all channels.
struct GemmOneChannelScale : AiterGemmA8w8Fnuz {
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t /*column*/) { return x.scale_b[0]; }
};

/// Computes an offset into `d` in too narrow a type. The real regressions wrap at 2^31 or 2^32; this offset wraps at 2^16, which a
/// test can reach.
struct GemmOffset32bit : VllmScaledMm {
  SIMT_DEVICE static int64_t place_of_d(int64_t row, int64_t column, int64_t pitch) { return uint16_t(row * pitch + column); }
};

/// The result is 1 % too large.
struct GemmGain : VllmScaledMm {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return VllmScaledMm::scaled<Y>(sum, sa, sb, bias) * 1.01f;
  }
};

/// The result is 5 % too large; the contract's accumulation order is unknown.
struct GemmUnknownGain : UnknownRow {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return UnknownRow::scaled<Y>(sum, sa, sb, bias) * 1.05f;
  }
};

/// The result is 5 % too large; the instruction's accumulation order is unknown.
struct GemmGfx950Gain : AiterBpreshuffleGfx950<units::Gfx950MfmaE4m3OneRounding> {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sb) * sa * 1.05f;
  }
};

/// Applies the scales in the other order, as a kernel that exchanges `a` and `b` does.
struct GemmScaleOrder : TorchRow {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sa) * sb;
  }
};

/// Adds the bias before the scales are applied.
template <class Right>
struct BiasBeforeScale : Right {
  static constexpr bool kAddsZero = false;  // otherwise the kernel computes fma(sum, sa * sb, 0) instead of calling scaled()
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    const float scaled = Right::template scaled<Y>(sum + bias, sa, sb, bias);
    return Right::kAddsZero ? scaled + 0.0f : scaled;
  }
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float /*bias*/) {
    return simt::from_float<Y>(scaled);
  }
};
using GemmBiasBeforeScale = BiasBeforeScale<TorchTensor>;
using GemmInt8BiasBeforeScale = BiasBeforeScale<AiterGemmA8w8Int8>;

/// Rounds to 16 bits before it adds the bias, and again afterwards.
struct GemmRoundedTwice : TorchTensorFast {
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(simt::to_float(simt::from_float<Y>(scaled)) + bias);
  }
};

/// Adds the bias before the result is rounded; the contract adds it to the rounded result.
struct GemmBiasUnrounded : VllmTritonScaledMm {
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(scaled + bias);
  }
};

/// Does not subtract the zero points.
struct GemmAzpLeftOut : VllmScaledMmAzp {
  SIMT_DEVICE static float number(const GemmArguments&, uint32_t sum, int64_t, int64_t) { return float(int32_t(sum)); }
};

/// Adds the zero points instead of subtracting them.
struct GemmAzpAdded : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum) + zero_points(x, row, column));
  }
};

/// Converts the sum and the zero point term to fp32 before the subtraction; the contract subtracts int32 numbers.
struct GemmAzpInFloat : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum)) - float(zero_points(x, row, column));
  }
};

/// Uses the zero point of the first row for all rows.
struct GemmAzpFirstRow : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t, int64_t column) {
    return float(int32_t(sum) - zero_points(x, 0, column));
  }
};

/// Scales the zero point term and subtracts it from the bias, which is then rounded to 16 bits.
struct GemmAzpInBias : VllmScaledMmAzp {
  SIMT_DEVICE static float number(const GemmArguments&, uint32_t sum, int64_t, int64_t) { return float(int32_t(sum)); }
  SIMT_DEVICE static bool has_bias(const GemmArguments&) { return true; }
  template <class Y>
  SIMT_DEVICE static float bias(const GemmArguments& x, int64_t row, int64_t column, float sa, float sb) {
    const float own = VllmScaledMmAzp::bias<Y>(x, row, column, sa, sb);
    return simt::to_float(simt::from_float<Y>(own - sa * sb * float(zero_points(x, row, column))));
  }
};

}  // namespace assay_kernels
