// Matrix products with scales of blocks gone wrong: each the rules of its twin with one mistake.
#pragma once

#include "kernels/faulty/product_faults.h"
#include "kernels/ops/gemm_block_scaled/gemm.h"

namespace assay_kernels {

/// The product is rounded before it is added.
struct BlockGemmTwoRoundings : DeepGemm1d1d {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return acc + sa * sb * chain; }
};

/// One scale after the other, where their product is meant.
struct BlockGemmScaleOrder : TorchBlock1x128Tile {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sa, sb, acc); }
};

/// The order of exchanged operands.
struct BlockGemmScaleOfBFirst : VllmTriton {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sb, sa, acc); }
};

/// Scales of rows as their transposition: [m, blocks] read as [blocks, m].
struct BlockGemmScaleATransposed : VllmBlockwise {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale, block = k / kProductsOfScale;
    return x.scale_a.row_stride == 1 ? x.scale_a.data[row * blocks + block] : x.scale_a.data[block * x.m + row];
  }
};

/// The same of the weight's.
struct BlockGemmScaleBTransposed : TorchBlock1x128 {
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale, block = k / kProductsOfScale;
    return x.scale_b.row_stride == 1 ? x.scale_b.data[column * blocks + block] : x.scale_b.data[block * x.n + column];
  }
};

/// An index of blocks that is one too high.
struct BlockGemmNextBlock : DeepGemm1d2d {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale;
    return scale(x.scale_a, row, (k / kProductsOfScale + 1) % blocks);
  }
};

/// A tile of columns that takes the scale of the first one.
struct BlockGemmFirstTile : DeepGemm1d2d {
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t, int64_t k) {
    return scale(x.scale_b, 0, k / kProductsOfScale);
  }
};

/// The scale of the first block all along k.
struct BlockGemmFirstBlock : AiterBlockscale {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t) { return scale(x.scale_a, row, 0); }
};

/// Whole blocks of k alone.
using BlockGemmTailDropped = TailLeftOut<VllmTriton, 128>;

/// Sums of two blocks leave the unit together, with the scales of the first.
struct BlockGemmPromotionLate : ProductOfScales<units::Sm90WgmmaE4m3F32, 256> {
  static constexpr const char* kContract = VllmBlockwise::kContract;
};

/// The tile of k of another tuning.
struct BlockGemmPromotionEarly : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32, 64> {
  static constexpr const char* kContract = VllmTriton::kContract;
};

/// c is not added.
struct BlockGemmCForgotten : DeepGemm1d1d {
  SIMT_DEVICE static float result(float acc, float) { return acc; }
};

/// Scales of rows and of columns are exchanged.
struct BlockGemmScalesSwapped : TorchBlock1x128 {
  SIMT_DEVICE static float of(const BlockScales& scales, int64_t rows, int64_t blocks, int64_t row, int64_t k) {
    const int64_t at = row * blocks + k / kProductsOfScale;
    return scale(scales, at / blocks % rows, at % blocks);
  }
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return of(x.scale_b, x.n, (x.k + kProductsOfScale - 1) / kProductsOfScale, row, k);
  }
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return of(x.scale_a, x.m, (x.k + kProductsOfScale - 1) / kProductsOfScale, column, k);
  }
};

/// Scales cut to powers of two: what a reader of exponents makes of f32.
struct BlockGemmScalesCut : VllmBlockwise {
  SIMT_DEVICE static float exponent_alone(float scale) {
    uint32_t bits;
    __builtin_memcpy(&bits, &scale, sizeof bits);
    bits &= 0xff800000u;
    __builtin_memcpy(&scale, &bits, sizeof scale);
    return scale;
  }
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return exponent_alone(VllmBlockwise::scale_of_row(x, row, k));
  }
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return exponent_alone(VllmBlockwise::scale_of_column(x, column, k));
  }
};

/// MX scales: the byte of the first of four blocks for 128 products.
struct BlockGemmMxFirstOfFour : TiledScales<BlockGemmMxFirstOfFour, units::Sm100Tcgen05MxE4m3F32> {
  static constexpr const char* kContract = TorchMx::kContract;
  SIMT_DEVICE static int64_t block_of(int64_t block) { return block / 4 * 4; }
};

/// MX scales row by row where they lie in tiles.
struct BlockGemmMxLinear : TorchMx {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return reinterpret_cast<const uint8_t*>(scales.data)[row * blocks + block];
  }
};

/// One fraction bit less of each term.
struct BlockUnitFractionLess : units::Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 12;
};
struct BlockGemmFractionLess : ProductOfScales<BlockUnitFractionLess> {
  static constexpr const char* kContract = DeepGemm1d2d::kContract;
};

/// Codes of AMD taken for those of OCP: twice each number.
struct BlockUnitOcp : units::Gfx942MfmaE4m3fnuzF32 {
  using A = units::E4m3;
  using B = units::E4m3;
};
struct BlockGemmFnuzAsFn : CkBlocks<BlockUnitOcp> {
  using CodesOfA = units::E4m3fnuz;
  using CodesOfB = units::E4m3fnuz;
  static constexpr const char* kContract = AiterOpusBlockscale::kContract;
  template <class Y>
  SIMT_DEVICE static Y stored(float result) {
    return AiterOpusBlockscale::stored<Y>(result);
  }
};

/// bf16 is rounded to nearest where opus cuts it off.
struct BlockGemmRounded : CkBlocks<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = AiterOpusBlockscale::kContract;
};

/// k in ascending order, where lanes of an instruction take it from places that lie apart.
struct BlockGemmKAscending : FlushedProductOfScales<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = AiterBlockscale::kContract;
};

/// The last part of k comes too late.
struct BlockGemmSplitRace : TorchBlock1x128 {
  SIMT_DEVICE static bool keeps_part(int64_t first, int64_t end, int64_t k) { return first == 0 || end < k; }
};

/// One hundredth too much.
struct BlockGemmGain : DeepGemm1d2d {
  SIMT_DEVICE static float result(float acc, float) { return acc * 1.01f; }
};

/// Parts of k are added before they are rounded.
struct BlockGemmSplitKInF32 : AiterBlockscale {
  static constexpr const char* kContract = AiterBlockscaleSplitK::kContract;
};

/// A shuffled weight read row by row.
struct BlockGemmWeightPlain : AiterBlockscaleBpreshuffle {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t, int64_t all_k) { return column * all_k + k; }
};

using BlockGemmWeightTwice = ShuffledTwice<AiterOpusBlockscaleBpreshuffle>;

/// Scales of a row by row, where their bytes are transposed.
struct BlockGemmScaleRowMajor : AiterBlockscaleBpreshuffle {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return x.scale_a.data[row * ((x.k + kProductsOfScale - 1) / kProductsOfScale) + k / kProductsOfScale];
  }
};

/// The same on gfx950.
struct BlockGemmGfx950ScaleRowMajor : AiterBlockscaleBpreshuffleGfx950<units::Gfx950MfmaE4m3EachProduct> {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return x.scale_a.data[row * ((x.k + kProductsOfScale - 1) / kProductsOfScale) + k / kProductsOfScale];
  }
};

/// The highest byte first.
struct BlockGemmPackedReversed : DeepGemmPacked {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t) {
    return byte_at(scales, row, block / 4, 3 - block % 4);
  }
};

/// The byte that an instruction selects is never advanced.
struct BlockGemmPackedFirstByte : DecodedScales<BlockGemmPackedFirstByte> {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t) {
    return byte_at(scales, row, block / 4, 0);
  }
};

/// A column of words that is one too high.
struct BlockGemmPackedNextWord : DeepGemmPacked {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return byte_at(scales, row, (block / 4 + 1) % ((blocks + 3) / 4), block % 4);
  }
};

/// Words shifted by 22 bits for 23: the lowest bit of a scale is a mantissa's, or the byte before.
struct BlockGemmPackedMantissa : DecodedScales<BlockGemmPackedMantissa> {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    const uint32_t below = block % 4 > 0 ? byte_at(scales, row, block / 4, block % 4 - 1) : 0u;
    return uint8_t(uint32_t(AssayPacked::scale_byte(scales, row, block, blocks)) << 1 | below >> 7);
  }
};

}  // namespace assay_kernels
