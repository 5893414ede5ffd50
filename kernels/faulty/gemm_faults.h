// Sums of scaled matrix products gone wrong: which products are added, and how, each by the rules of its twin with one mistake.
// What becomes of right sums is in gemm_result_faults.h.
#pragma once

#include "kernels/faulty/product_faults.h"
#include "kernels/ops/gemm_scaled/amd_rules.h"
#include "kernels/ops/gemm_scaled/nvidia_rules.h"

namespace assay_kernels {

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

}  // namespace assay_kernels
