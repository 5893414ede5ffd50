// Tensors of a call of gemm_block_scaled.
#pragma once

#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"

namespace assay_kernels {

/// How scales of blocks lie in memory.
struct ScaleLevel {
  int type = ASSAY_FLOAT, bits = 32;       ///< of an element of the tensor
  int64_t in_element = 1;                  ///< scales that an element holds
  int64_t tile_rows = 1, tile_blocks = 1;  ///< of the tile that repeats, rows and blocks padded to whole ones; 1: strides say all
};
inline constexpr ScaleLevel kFloatScales{}, kPackedScales{ASSAY_INT, 32, 4}, kTiledScales{ASSAY_FLOAT8_E8M0FNU, 8, 1, 128, 4};

/// Scales of blocks of `rows` rows; strides in elements of the tensor, of tiles in elements of a row of whole tiles. `data` points to them whatever they are.
struct BlockScales {
  const float* data;
  int64_t row_stride, block_stride;
  int64_t rows;
};

struct BlockGemmArguments : GemmOperands {
  BlockScales scale_a, scale_b;
  const void* c;  ///< of the type of d: added to the product; null: none
};

inline constexpr int64_t kProductsOfScale = 128;

/// Refuses what is no such call; see gemm_operands(). `rows_of_b`: rows of b that share a scale. `products`: that share a scale.
BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, const ScaleLevel& level, int64_t products);

// What contracts of gemm_block_scaled do: the unit that multiplies, when its sums leave it, how the scales of a block join them.

/// What kernels do unless their rules say otherwise.
template <class MatrixUnit, int kPromotedEvery = 128>
struct BlockRules : PlainProduct<MatrixUnit> {
  static constexpr int64_t kPromote = kPromotedEvery;  ///< products whose sum leaves the unit
  static constexpr int64_t kRowsOfScaleB = 128;
  static constexpr int64_t kPartOf = 128;  ///< parts of k are whole multiples
  static constexpr bool kAddsC = false;
  static constexpr ScaleLevel kLevel = kFloatScales;
  static constexpr int64_t kProducts = kProductsOfScale;  ///< that share a scale
  static constexpr bool kInUnit = false;  ///< the unit takes them
  static constexpr bool kAddsResults = false;  ///< each part of k is a result of its own, and results are added in their format

  SIMT_DEVICE static float scale(const BlockScales& scales, int64_t row, int64_t block) {
    return scales.data[row * scales.row_stride + block * scales.block_stride];
  }
  /// Of a row of a, of a row of b, and the products from k.
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return scale(x.scale_a, row, k / kProductsOfScale);
  }
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return scale(x.scale_b, column / x.scale_b.rows, k / kProductsOfScale);
  }
  SIMT_DEVICE static float result(float acc, float /*c*/) { return acc; }
  template <class Y>
  SIMT_DEVICE static Y stored(float result) {
    return simt::from_float<Y>(result);
  }
};

/// Both scales are multiplied first: acc + (sa sb) chain, one FMA.
template <class MatrixUnit, int kPromotedEvery = 128>
struct ProductOfScales : BlockRules<MatrixUnit, kPromotedEvery> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(sa * sb, chain, acc); }
};

/// One scale after the other: acc + (chain sa) sb, the last two by one FMA.
template <class MatrixUnit, int kPromotedEvery = 128>
struct ScaleOfRowFirst : BlockRules<MatrixUnit, kPromotedEvery> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sa, sb, acc); }
};

// DeepGEMM 54e22612, sm90_fp8_gemm_1d2d.cuh and sm90_fp8_gemm_1d1d.cuh.
struct DeepGemm1d2d : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "deepgemm.fp8_gemm_1d2d.sm_90";
};
struct DeepGemm1d1d : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "deepgemm.fp8_gemm_1d1d.sm_90";
  static constexpr int64_t kRowsOfScaleB = 1;
  static constexpr bool kAddsC = true;
  SIMT_DEVICE static float result(float acc, float c) { return c + acc; }
};

/// Byte block % 4 of word block / 4: an exponent.
template <class Base>
struct PackedScales : Base {
  static constexpr ScaleLevel kLevel = kPackedScales;
  static constexpr int64_t kRowsOfScaleB = 1;

  SIMT_DEVICE static uint8_t byte_at(const BlockScales& scales, int64_t row, int64_t word, int64_t byte) {
    return reinterpret_cast<const uint8_t*>(scales.data)[4 * (row * scales.row_stride + word * scales.block_stride) + byte];
  }
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t /*blocks*/) {
    return byte_at(scales, row, block / 4, block % 4);
  }
  SIMT_DEVICE static float power_of(uint8_t byte) {
    const uint32_t bits = byte == 0 ? 0x00400000u : byte == 255 ? 0x7fffffffu : uint32_t(byte) << 23;
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
  }
};

/// The unit takes the bytes, one for each of its blocks, and adds all of k: DeepGEMM 54e22612, sm100_fp8_fp4_gemm_1d1d.cuh.
struct DeepGemmPacked : PackedScales<BlockRules<units::Sm100Tcgen05MxE4m3F32>> {
  static constexpr const char* kContract = "deepgemm.fp8_gemm_1d1d_packed.sm_100";
  static constexpr bool kInUnit = true;
};

/// MXFP8: a byte for each 32 products, in the tiles that the unit reads. torch 2.11.0, ScaledBlas.cpp: cuBLASLt's VEC32_UE8M0.
template <class Rules, class MatrixUnit>
struct TiledScales : BlockRules<MatrixUnit> {
  static constexpr bool kInUnit = true;
  static constexpr ScaleLevel kLevel = kTiledScales;
  static constexpr int64_t kProducts = 32, kRowsOfScaleB = 1;

  SIMT_DEVICE static int64_t block_of(int64_t block) { return block; }
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t /*blocks*/) {
    const int64_t place = place_in_tiles(ScaleTile::k128x4, scales.row_stride, row, int32_t(Rules::block_of(block)));
    return reinterpret_cast<const uint8_t*>(scales.data)[place];
  }
};
struct TorchMx : TiledScales<TorchMx, units::Sm100Tcgen05MxE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_mxfp8.sm_100";
};
struct TorchMxSm120 : TiledScales<TorchMxSm120, units::Sm120MmaMxE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_mxfp8.sm_120";
};

/// Bytes become f32, which join as any other scales. The rules that a kernel runs by, so that mistakes may change a byte.
template <class Rules>
struct DecodedScales : PackedScales<ProductOfScales<units::Sm90WgmmaE4m3F32>> {
  static constexpr const char* kContract = "assay.fp8_gemm_1d1d_packed.sm_90";
  SIMT_DEVICE static float decoded(const BlockScales& scales, int64_t row, int64_t k, int64_t all_k) {
    return power_of(Rules::scale_byte(scales, row, k / kProductsOfScale, (all_k + kProductsOfScale - 1) / kProductsOfScale));
  }
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) { return decoded(x.scale_a, row, k, x.k); }
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return decoded(x.scale_b, column, k, x.k);
  }
};
struct AssayPacked : DecodedScales<AssayPacked> {};

// vLLM v0.33.0, scaled_mm_blockwise_sm90_fp8_dispatch.cuh and its siblings.
struct VllmBlockwise : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_blockwise.sm_90";
};
struct VllmBlockwiseSm100 : ProductOfScales<units::Sm100Tcgen05E4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_blockwise.sm_100";
};
struct VllmBlockwiseSm120 : ProductOfScales<units::Sm120MmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_blockwise.sm_120";
};

// torch 2.11.0, ScaledBlas.cpp: cuBLASLt adds; k is whole in these kernels, and in two parts in split_k.
struct TorchBlock1x128Tile : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_1x128_128x128.sm_90";
  static constexpr int64_t kPartOf = 512;
};
struct TorchBlock1x128 : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_1x128_1x128.sm_90";
  static constexpr int64_t kRowsOfScaleB = 1;
};

// vLLM v0.33.0, fp8_utils.py: the Triton kernel for BLOCK_SIZE_K 128, 64 and 32.
struct VllmTriton : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.triton_w8a8_block.sm_90";
};
struct VllmTritonK64 : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32, 64> {
  static constexpr const char* kContract = "vllm.triton_w8a8_block_k64.sm_90";
};
struct VllmTritonK32 : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32, 32> {
  static constexpr const char* kContract = "vllm.triton_w8a8_block_k32.sm_90";
};
/// Triton 3.6 on sm_90: acc += tl.dot(a, b) * (a_s * b_s).
struct TritonScalesFirst : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "triton.w8a8_block_scales_first.sm_90";
};
struct VllmTritonSm89 : ScaleOfRowFirst<units::Sm89MmaE4m3F32> {
  static constexpr const char* kContract = "vllm.triton_w8a8_block.sm_89";
};

// Offered as a kernel of which nobody knows how it adds.
struct UnknownBlocks : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "assay.unknown_fp8_1x128_128x128.sm_90";
};

/// The product of both scales first, in a build that flushes.
template <class MatrixUnit>
struct FlushedProductOfScales : BlockRules<MatrixUnit> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) {
    return flushed(simt::fma(flushed(flushed(sa) * flushed(sb)), chain, acc));
  }
};

/// composable_kernel 1eb2e573, blockwise_gemm_pipeline_xdlops_v1_ab_scale.hpp, which hipcc contracts; AITER e4048607, opus_gemm. In the
/// order of an instance of 16x16 tiles: KPack is 16.
template <class MatrixUnit>
using CkBlocks = LaneOrder<FlushedProductOfScales<MatrixUnit>, 4, 16>;

struct AiterBlockscale : CkBlocks<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale.gfx942";
};
/// bf16 is the upper half of fp32: csrc/include/opus/opus.hpp, OPUS_FP32_to_BF16_DEFAULT 2.
struct AiterOpusBlockscale : CkBlocks<units::Gfx942MfmaE4m3fnuzF32> {
  template <class Y>
  SIMT_DEVICE static Y stored(float result) {
    if constexpr (std::is_same_v<Y, simt::Bf16>)
      return simt::from_float<Y>(simt::from_bits(simt::bits(result) & 0xffff0000u));
    else
      return simt::from_float<Y>(result);
  }
  static constexpr const char* kContract = "aiter.opus_gemm_a8w8_blockscale_rz.gfx942";
};
/// On gfx950 with codes of OCP, by its unit or by a candidate of it.
template <class MatrixUnit>
struct AiterBlockscaleGfx950 : CkBlocks<MatrixUnit> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale.gfx950";
};

/// Parts of k as results of 16 bits that are added to zeros, here one after the other; atomics add them as they come: SetKBatch in AITER
/// e4048607, gemm_a8w8_blockscale_common.cuh.
template <class Base>
struct AddedBlockResults : Base {
  static constexpr bool kAddsResults = true;
};
struct AiterBlockscaleSplitK : AddedBlockResults<AiterBlockscale> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale_split_k.gfx942";
};
template <class MatrixUnit>
struct AiterBlockscaleSplitKGfx950 : AddedBlockResults<AiterBlockscaleGfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale_split_k.gfx950";
};

/// The weight comes shuffled, and scales of a by their bytes, [blocks of k, m], whatever their strides.
template <class Base>
struct Preshuffled : OfShuffledWeight<Base> {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return x.scale_a.data[k / kProductsOfScale * x.m + row];
  }
};
struct AiterBlockscaleBpreshuffle : Preshuffled<AiterBlockscale> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale_bpreshuffle.gfx942";
};
template <class MatrixUnit>
struct AiterBlockscaleBpreshuffleGfx950 : Preshuffled<AiterBlockscaleGfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale_bpreshuffle.gfx950";
};
struct AiterOpusBlockscaleBpreshuffle : Preshuffled<AiterOpusBlockscale> {
  static constexpr const char* kContract = "aiter.opus_gemm_a8w8_blockscale_bpreshuffle_rz.gfx942";
};

}  // namespace assay_kernels
