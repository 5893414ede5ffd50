// Faulty GEMM kernels. Each derives from correct rules and replaces a few lines.
#pragma once

#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/gemm/gemm_scaled_rules.h"

namespace assay_kernels {

// Mistakes of any GEMM, whatever its scales.

/// Whole tiles of k alone, of so many products.
template <class Right, int kProducts>
struct TailLeftOut : Right {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - k % kProducts; }
};

/// A weight that is shuffled once more.
template <class Right>
struct ShuffledTwice : Right {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t all_k) {
    const int64_t once = ShuffledWeight::byte(column, k, all_k);
    return ShuffledWeight::byte(once / all_k, once % all_k, all_k);
  }
};

// The sum of a scaled GEMM: which products are added, and how.

/// One fraction bit less of each term.
struct GemmUnitFractionLess : units::Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 12;
};
struct GemmFractionLess : TensorScaled<GemmUnitFractionLess, 128> {
  static constexpr const char* kContract = TorchTensor::kContract;
};

/// The unit's result is rounded as an addition of IEEE 754.
struct GemmUnitNearest : units::Sm90WgmmaE4m3F32 {
  static constexpr units::Rounding kRounding = units::Rounding::kNearest;
};
struct GemmNearestForTruncation : TensorScaled<GemmUnitNearest> {
  static constexpr const char* kContract = TorchTensorFast::kContract;
};

/// Sums stay in the unit.
struct GemmPromotionMissing : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = TorchRow::kContract;
};

/// Sums leave the unit every second tile of k.
struct GemmPromotionLate : WeightFirst<units::Sm90WgmmaE4m3F32, 256> {
  static constexpr const char* kContract = CutlassRow::kContract;
  static constexpr bool kTakesBias = false;
};

/// Sums leave the unit where they should stay.
struct GemmPromotionExtra : WeightFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = VllmScaledMm::kContract;
};

/// Registers of half the width.
struct GemmAccumulatorF16 : WeightFirst<units::Sm90WgmmaE4m3F16> {
  static constexpr const char* kContract = TorchRowFast::kContract;
};

/// Codes of OCP taken for AMD's: half of each number.
struct GemmUnitFnuz : units::Sm90WgmmaE4m3F32 {
  using A = units::E4m3fnuz;
  using B = units::E4m3fnuz;
};
struct GemmFnAsFnuz : WeightFirst<GemmUnitFnuz> {
  using CodesOfA = units::E4m3;
  using CodesOfB = units::E4m3;
  static constexpr const char* kContract = VllmScaledMm::kContract;
};

/// Codes of OCP as gfx942 reads them: half of each number.
struct GemmOcpAsFnuz : CkRowwise<units::Gfx942MfmaE4m3fnuzF32> {
  using CodesOfA = units::E4m3;
  using CodesOfB = units::E4m3;
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8.gfx950";
};

/// Whole instructions of k alone, of which gfx950's of int8 have 64 products.
using GemmTailDropped = TailLeftOut<TorchTensor, 32>;
using GemmUnknownTail = TailLeftOut<UnknownTensor, 32>;
using GemmInt8Tail = TailLeftOut<AiterGemmA8w8Int8Gfx950, 64>;

/// Half of the tail behind whole tiles of k.
struct GemmTailHalfUsed : TorchTensor {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - k % 128 / 2; }
};

/// The bound of rows is one too low.
struct GemmLastRow : VllmScaledMmSwapAb {
  SIMT_DEVICE static int64_t row_of_a(int64_t row, int64_t m) { return row == m - 1 && m > 1 ? m - 2 : row; }
};

/// A stage of rows that was not waited for: the rows of the tile before.
struct GemmTileBefore : TorchRowFast {
  SIMT_DEVICE static int64_t row_of_a(int64_t row, int64_t /*m*/) { return row >= 64 ? row - 64 : row; }
};

/// The weight as [k, n].
struct GemmWeightTransposed : TorchRowFast {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t n, int64_t /*all_k*/) { return k * n + column; }
};

using GemmGfx950WeightTwice = ShuffledTwice<AiterBpreshuffleGfx950<units::Gfx950MfmaE4m3AsGfx942>>;

/// A loop over k that ends one early.
struct GemmInt8LastProduct : VllmScaledMmInt8 {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - 1; }
};

/// k in ascending order, where lanes of an instruction take it from places that lie apart.
struct GemmKAscending : OfShuffledWeight<FlushedWeightFirst<units::Gfx942MfmaE4m3fnuzF32>> {
  static constexpr const char* kContract = AiterBpreshuffle::kContract;
  static constexpr bool kTakesBias = false;
};

/// A build without the flag that flushes.
struct GemmSubnormalsKept : LaneOrder<WeightFirst<units::Gfx942MfmaE4m3fnuzF32>, 4, 32> {
  static constexpr const char* kContract = AiterGemmA8w8Fnuz::kContract;
};

/// Parts of k are added before they are scaled and rounded.
struct GemmSplitKInF32 : AiterBpreshuffle {
  static constexpr const char* kContract = AiterBpreshuffleSplitK::kContract;
};

/// The last part of k is never added.
struct GemmSplitKPartLost : AiterBpreshuffleSplitK {
  SIMT_DEVICE static bool keeps_part(int64_t first, int64_t end, int64_t k) { return first == 0 || end < k; }
};

/// Each dot begins with the sum of those before it, so that no sum leaves the unit.
struct GemmDotFolded : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = TritonDotAdded::kContract;
  static constexpr bool kTakesBias = false;
};

/// What the last part of k adds comes too late.
struct GemmSplitRace : TorchTensor {
  SIMT_DEVICE static bool keeps_part(int64_t first, int64_t end, int64_t k) { return first == 0 || end < k; }
};

// The result of a scaled GEMM: how scales, zero points and a bias join a correct sum.

/// The scales of rows and of columns are exchanged.
struct GemmScalesSwapped : TorchRowFast {
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) {
    return TorchRowFast::scale_of_column(x, row % x.n);
  }
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t column) {
    return TorchRowFast::scale_of_row(x, column % x.m);
  }
};

/// The scale of the row behind.
struct GemmTokenScaleNext : TorchRow {
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) {
    return TorchRow::scale_of_row(x, (row + 1) % x.m);
  }
};

/// The scale of the first channel for all.
struct GemmOneChannelScale : AiterGemmA8w8Fnuz {
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t /*column*/) { return x.scale_b[0]; }
};

/// Offset of an element of d in too narrow a type. The regressions wrap at 2^31 or 2^32; this one at 2^16, which a test can
/// afford.
struct GemmOffset32bit : VllmScaledMm {
  SIMT_DEVICE static int64_t place_of_d(int64_t row, int64_t column, int64_t pitch) { return uint16_t(row * pitch + column); }
};

/// One hundredth too much.
struct GemmGain : VllmScaledMm {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return VllmScaledMm::scaled<Y>(sum, sa, sb, bias) * 1.01f;
  }
};

/// One twentieth too much, of a kernel that spans alone judge.
struct GemmUnknownGain : UnknownRow {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return UnknownRow::scaled<Y>(sum, sa, sb, bias) * 1.05f;
  }
};

/// One twentieth too much, of a unit that spans alone judge.
struct GemmGfx950Gain : AiterBpreshuffleGfx950<units::Gfx950MfmaE4m3OneRounding> {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sb) * sa * 1.05f;
  }
};

/// Scales in the order of the exchanged product.
struct GemmScaleOrder : TorchRow {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sa) * sb;
  }
};

/// The bias joins before the scales.
template <class Right>
struct BiasBeforeScale : Right {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return Right::template scaled<Y>(sum + bias, sa, sb, bias);
  }
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float /*bias*/) {
    return simt::from_float<Y>(scaled);
  }
};
using GemmBiasBeforeScale = BiasBeforeScale<TorchTensor>;
using GemmInt8BiasBeforeScale = BiasBeforeScale<AiterGemmA8w8Int8>;

/// Rounded to 16 bits before the bias joins and once more behind.
struct GemmRoundedTwice : TorchTensorFast {
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(simt::to_float(simt::from_float<Y>(scaled)) + bias);
  }
};

/// The bias joins before the result is rounded.
struct GemmBiasUnrounded : VllmTritonScaledMm {
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(scaled + bias);
  }
};

/// Zero points are forgotten.
struct GemmAzpLeftOut : VllmScaledMmAzp {
  SIMT_DEVICE static float number(const GemmArguments&, uint32_t sum, int64_t, int64_t) { return float(int32_t(sum)); }
};

/// Zero points with the other sign.
struct GemmAzpAdded : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum) + zero_points(x, row, column));
  }
};

/// Both integers become f32 before they meet.
struct GemmAzpInFloat : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum)) - float(zero_points(x, row, column));
  }
};

/// The zero point of the first row for all.
struct GemmAzpFirstRow : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t, int64_t column) {
    return float(int32_t(sum) - zero_points(x, 0, column));
  }
};

/// Zero points are scaled and folded into a bias of 16 bits.
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
