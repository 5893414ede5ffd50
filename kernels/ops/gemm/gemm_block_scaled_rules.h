// gemm_block_scaled: the tensors of a call, and the rules of each contract.
#pragma once

#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_mx/quant_fp4_kernel.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"

namespace assay_kernels {

/// Type and memory layout of a tensor of block scales.
struct ScaleLevel {
  int type = ASSAY_FLOAT, bits = 32;       ///< element type of the tensor
  int64_t in_element = 1;                  ///< scales in one tensor element, such as four bytes of an int32
  /// size of the tiles of scales in memory; rows and blocks are padded to whole tiles. 1: no tiles, strides give the layout
  int64_t tile_rows = 1, tile_blocks = 1;
};
inline constexpr ScaleLevel kFloatScales{}, kPackedScales{ASSAY_INT, 32, 4}, kTiledScales{ASSAY_FLOAT8_E8M0FNU, 8, 1, 128, 4},
    kTiledE4m3Scales{ASSAY_FLOAT8_E4M3FN, 8, 1, 128, 4}, kE4m3Scales{ASSAY_FLOAT8_E4M3FN, 8}, kE8m0Scales{ASSAY_FLOAT8_E8M0FNU, 8};

/// The scales of `a` or `b`. A scale covers `rows` rows and one block of k. Strides are in tensor elements; with tiles, row_stride is
/// the number of blocks per row, padded to whole tiles. `data` points to the scales even if they are not fp32.
struct BlockScales {
  const float* data;
  int64_t row_stride, block_stride;
  int64_t rows;
};

struct BlockGemmArguments : GemmOperands {
  BlockScales scale_a, scale_b;
  const void* c;  ///< [m, n] in the type of d, added to the GEMM's result; nullptr: none
  const float *global_a, *global_b;  ///< scales of whole tensors, besides the block scales; nullptr: none
  const void* bias;                  ///< [n] in the type of d; nullptr: none
};

inline constexpr int64_t kProductsOfScale = 128;

/// Reads the tensors and rejects invalid calls, as gemm_operands() does. `rows_of_b`: rows of `b` that share a scale. `products`: elements along k that share a
/// scale. `adds_c`: whether the contract adds a tensor `c`.
BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, const ScaleLevel& level, int64_t products);

/// The data of an f32 tensor with `count` scales: 1 for the scale of a whole tensor, or one per expert for its weights.
const float* outer_scales(const Call& call, const char* role, int64_t count);

/// The data of a bias [n] in the type of d. Rejects a bias unless takes_bias.
const void* block_gemm_bias(const Call& call, const assay_tensor& bias, int64_t n, bool takes_bias);

// Contracts of gemm_block_scaled: the tensor core instruction, when the accumulator is promoted to fp32, and how block scales are
// applied.

/// Defaults that rules may override.
template <class MatrixUnit, int kPromotedEvery = 128>
struct BlockRules : PlainProduct<MatrixUnit> {
  using Arguments = BlockGemmArguments;
  static constexpr int64_t kPromote = kPromotedEvery;  ///< elements along k between two promotions of the accumulator to fp32
  static constexpr int64_t kRowsOfScaleB = 128;
  static constexpr int64_t kPartOf = 128;  ///< the length of a split-K part is a multiple of this
  static constexpr bool kAddsC = false;
  static constexpr ScaleLevel kLevel = kFloatScales;
  static constexpr int64_t kProducts = kProductsOfScale;  ///< elements along k that share a scale
  static constexpr bool kInUnit = false;  ///< true: the instruction applies the scales
  static constexpr bool kDecodes = false;  ///< true: operands of the instruction are codes times scales, rounded to 16 bits
  static constexpr bool kOuterOfA = false, kOuterOfB = false;  ///< true: `a` (or `b`) also has one scale for the whole tensor
  static constexpr bool kTakesBias = false;
  static constexpr bool kScalesOneBlock = false;  ///< true: if k has a single block, one_block() applies its scales instead of join()
  /// true: each split-K part is scaled and rounded like a result; the parts are then added in the type of d
  static constexpr bool kAddsResults = false;

  /// For GEMMs whose rows belong to experts: prepares the tile that begins at `row`. Returns false to skip the tile.
  template <class Rules>
  SIMT_DEVICE static bool enter(BlockGemmArguments& /*x*/, int64_t /*row*/) {
    return true;
  }
  SIMT_DEVICE static float scale(const BlockScales& scales, int64_t row, int64_t block) {
    return scales.data[row * scales.row_stride + block * scales.block_stride];
  }
  /// The scale of row `row` of `a` at element k. scale_of_column(): the scale of row `column` of `b`.
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return scale(x.scale_a, row, k / kProductsOfScale);
  }
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return scale(x.scale_b, column / x.scale_b.rows, k / kProductsOfScale);
  }
  SIMT_DEVICE static float one_block(float chain, float sa, float sb) { return chain * sb * sa; }
  SIMT_DEVICE static float result(float acc, float /*c*/) { return acc; }
  /// Multiplies a result by the scales of whole tensors and adds the bias; the caller then rounds it to Y.
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& /*x*/, int64_t /*column*/, float result) {
    return result;
  }
  template <class Y>
  SIMT_DEVICE static Y stored(float result) {
    return simt::from_float<Y>(result);
  }
};

/// acc + (sa * sb) * chain, where chain is the sum of a block of k. The last multiplication and the addition are one FMA.
template <class MatrixUnit, int kPromotedEvery = 128>
struct ProductOfScales : BlockRules<MatrixUnit, kPromotedEvery> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(sa * sb, chain, acc); }
};

/// acc + (chain * sa) * sb, where chain is the sum of a block of k. The last multiplication and the addition are one FMA.
template <class MatrixUnit, int kPromotedEvery = 128>
struct ScaleOfRowFirst : BlockRules<MatrixUnit, kPromotedEvery> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sa, sb, acc); }
};

// Source: DeepGEMM 54e22612, sm90_fp8_gemm_1d2d.cuh and sm90_fp8_gemm_1d1d.cuh.
struct DeepGemm1d2d : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "deepgemm.fp8_gemm_1d2d.sm_90";
};
struct DeepGemm1d1d : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "deepgemm.fp8_gemm_1d1d.sm_90";
  static constexpr int64_t kRowsOfScaleB = 1;
  static constexpr bool kAddsC = true;
  SIMT_DEVICE static float result(float acc, float c) { return c + acc; }
};

/// Packed scales: the exponent of block b of k is byte b % 4 of int32 word b / 4.
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

/// The instruction multiplies the products of each block of k by the block's scales, and accumulates over all of k.
/// Source: DeepGEMM 54e22612, sm100_fp8_fp4_gemm_1d1d.cuh.
struct DeepGemmPacked : PackedScales<BlockRules<units::Sm100Tcgen05MxE4m3F32>> {
  static constexpr const char* kContract = "deepgemm.fp8_gemm_1d1d_packed.sm_100";
  static constexpr bool kInUnit = true;
};

/// MXFP8: one scale byte per 32 elements, in the tiled layout that the tensor core reads.
/// Source: torch 2.11.0, ScaledBlas.cpp, cuBLASLt's VEC32_UE8M0.
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

/// FP4: a byte holds two codes. NVFP4 has an E4M3 scale per 16 elements, MXFP4 an E8M0 scale per 32 elements.
template <class Rules, class MatrixUnit>
struct Fp4Product : TiledScales<Rules, MatrixUnit> {
  static constexpr int64_t kProducts = MatrixUnit::kScaleBlock;
  static constexpr ScaleLevel kLevel = kProducts == 16 ? kTiledE4m3Scales : kTiledScales;
};

/// Multiplies the fp32 sum by alpha, one f32 value. Calls pass alpha as the scale of tensor a.
/// Source: vLLM v0.33.0, nvfp4_scaled_mm_kernels.cu, alpha_ptr of CUTLASS's epilogue.
template <class Rules, class MatrixUnit>
struct TimesAlpha : Fp4Product<Rules, MatrixUnit> {
  static constexpr bool kOuterOfA = true;
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return x.global_a[0] * sum;
  }
};
struct VllmNvfp4Mm : TimesAlpha<VllmNvfp4Mm, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_fp4_mm.sm_100";
};
struct VllmNvfp4MmSm120 : TimesAlpha<VllmNvfp4MmSm120, units::Sm120MmaNvf4F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_fp4_mm.sm_120";
};
/// Source: FlashInfer fb28d724, fp4_gemm_template_sm100.h.
struct FlashinferNvfp4Mm : TimesAlpha<FlashinferNvfp4Mm, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = "flashinfer.mm_fp4_cutlass.sm_100";
};

/// Multiplies the fp32 sum by cuBLASLt's alpha: the product of both tensors' scales, rounded to fp32.
/// Source: pytorch 0174dfab, ScaledBlas.cpp, _scaled_nvfp4_nvfp4.
template <class Rules, class MatrixUnit>
struct TimesBothScales : Fp4Product<Rules, MatrixUnit> {
  static constexpr bool kOuterOfA = true, kOuterOfB = true;
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return x.global_a[0] * x.global_b[0] * sum;
  }
};
struct TorchNvfp4 : TimesBothScales<TorchNvfp4, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = "torch.scaled_mm_nvfp4.sm_100";
};
struct TorchNvfp4Sm120 : TimesBothScales<TorchNvfp4Sm120, units::Sm120MmaNvf4F32> {
  static constexpr const char* kContract = "torch.scaled_mm_nvfp4.sm_120";
};
/// NVFP4 without scales of whole tensors.
struct TorchNvfp4Block : Fp4Product<TorchNvfp4Block, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = "torch.scaled_mm_nvfp4_block.sm_100";
};
struct TorchNvfp4BlockSm120 : Fp4Product<TorchNvfp4BlockSm120, units::Sm120MmaNvf4F32> {
  static constexpr const char* kContract = "torch.scaled_mm_nvfp4_block.sm_120";
};
/// Source: pytorch 0174dfab, ScaledBlas.cpp, _scaled_mxfp4_mxfp4, which calls MSLK's f4f4bf16.
struct TorchMxfp4 : Fp4Product<TorchMxfp4, units::Sm100Tcgen05Mxf4F32> {
  static constexpr const char* kContract = "torch.scaled_mm_mxfp4.sm_100";
};

/// Rounds four values to the type of d: the sum, the product of both tensors' scales, the sum times this product, and the result
/// after the bias. Source: torchao 0.18.0, nvfp4_tensor.py, _addmm_nvfp4_dispatch.
template <class Rules, class MatrixUnit>
struct TorchaoNvfp4Product : TimesBothScales<Rules, MatrixUnit> {
  static constexpr bool kTakesBias = true;
  template <class Y>
  SIMT_DEVICE static float rounded(float v) {
    return simt::to_float(simt::from_float<Y>(v));
  }
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t column, float sum) {
    const float scaled = rounded<Y>(sum) * rounded<Y>(x.global_a[0] * x.global_b[0]);
    return x.bias ? rounded<Y>(scaled) + simt::to_float(static_cast<const Y*>(x.bias)[column]) : scaled;
  }
};
struct TorchaoNvfp4Mm : TorchaoNvfp4Product<TorchaoNvfp4Mm, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = "torchao.nvfp4_mm.sm_100";
};

/// A GEMM of FP4 codes on bf16 or f16 instructions: an operand is a code times the scale of its block, rounded to 16 bits. Scale
/// bytes are stored row by row. `kBlock`: elements that share a scale, 16 in NVFP4 and 32 in MXFP4.
template <class MatrixUnit, int kBlock>
struct DecodedFp4 : BlockRules<MatrixUnit> {
  using CodesOfA = units::E2m1;
  using CodesOfB = units::E2m1;
  static constexpr bool kDecodes = true;
  static constexpr int64_t kProducts = kBlock, kRowsOfScaleB = 1;
  static constexpr ScaleLevel kLevel = kBlock == 16 ? kE4m3Scales : kE8m0Scales;

  SIMT_DEVICE static float scale_of_block(const BlockScales& scales, int64_t row, int64_t block) {
    const uint32_t byte = reinterpret_cast<const uint8_t*>(scales.data)[row * scales.row_stride + block * scales.block_stride];
    return kBlock == 16 ? e4m3_value(byte) : e8m0_value(byte);
  }
  SIMT_DEVICE static uint32_t code_of_a(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return units::code_at<CodesOfA>(x.a, row * x.pitch_a + k);
  }
  SIMT_DEVICE static uint32_t code_of_b(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return units::code_at<CodesOfB>(x.b, column * x.pitch_b + k);
  }
  /// An operand before it is rounded to 16 bits: its code times the block's scale. `g`: the scale of the whole tensor.
  SIMT_DEVICE static float operand_of_a(float code, float scale, float /*g*/) { return code * scale; }
  SIMT_DEVICE static float operand_of_b(float code, float scale, float /*g*/) { return code * scale; }
};

/// `a` was multiplied by its tensor scale before quantization, so this kernel divides by that scale. It multiplies by the tensor
/// scale of `b`. The bias is added in 16 bits. Source: vLLM v0.33.0, nvfp4_emulation_utils.py, run_nvfp4_emulations.
template <class MatrixUnit>
struct VllmNvfp4Decoded : DecodedFp4<MatrixUnit, 16> {
  static constexpr bool kOuterOfA = true, kOuterOfB = true, kTakesBias = true;
  SIMT_DEVICE static float operand_of_a(float code, float scale, float g) { return code * (scale / g); }
  SIMT_DEVICE static float operand_of_b(float code, float scale, float g) { return code * (scale * g); }
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t column, float sum) {
    if (!x.bias) return sum;
    return simt::to_float(simt::from_float<Y>(sum)) + simt::to_float(static_cast<const Y*>(x.bias)[column]);
  }
};
struct VllmNvfp4DecodedBf16 : VllmNvfp4Decoded<units::Sm90WgmmaBf16F32> {
  static constexpr const char* kContract = "vllm.nvfp4_emulation_bf16.sm_90";
};
struct VllmNvfp4DecodedF16 : VllmNvfp4Decoded<units::Sm90WgmmaF16F32> {
  static constexpr const char* kContract = "vllm.nvfp4_emulation_f16.sm_90";
};
/// VllmNvfp4Decoded on AMD's MFMA instructions.
struct AssayNvfp4DecodedBf16 : VllmNvfp4Decoded<units::Gfx942MfmaBf16F32> {
  static constexpr const char* kContract = "assay.nvfp4_emulation_bf16.gfx942";
};
/// Source: torchao 0.18.0, mx_tensor.py, to_dtype and _addmm_mx_dispatch with KernelPreference.EMULATED.
struct TorchaoMxfp4Decoded : DecodedFp4<units::Sm90WgmmaBf16F32, 32> {
  static constexpr const char* kContract = "torchao.mxfp4_mm_emulated.sm_90";
};

/// Converts packed scale bytes to fp32 scales that multiply sums. Reads a byte by Rules::scale_byte(), so that a deliberately
/// wrong kernel can replace this function.
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

// Source: vLLM v0.33.0, scaled_mm_blockwise_sm90_fp8_dispatch.cuh and the files beside it.
struct VllmBlockwise : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_blockwise.sm_90";
};
struct VllmBlockwiseSm100 : ProductOfScales<units::Sm100Tcgen05E4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_blockwise.sm_100";
};
struct VllmBlockwiseSm120 : ProductOfScales<units::Sm120MmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_blockwise.sm_120";
};

// cuBLASLt, as called by torch 2.11.0, ScaledBlas.cpp. The split_k kernel uses two split-K parts, the other kernels one.
struct TorchBlock1x128Tile : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_1x128_128x128.sm_90";
  static constexpr int64_t kPartOf = 512;
};
struct TorchBlock1x128 : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_1x128_1x128.sm_90";
  static constexpr int64_t kRowsOfScaleB = 1;
  static constexpr bool kScalesOneBlock = true;
};

// The Triton kernel with BLOCK_SIZE_K 128, 64 and 32.
// Source: vLLM v0.33.0, fp8_utils.py.
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

// The contract leaves the accumulation order open; this kernel uses one possible order.
struct UnknownBlocks : ProductOfScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "assay.unknown_fp8_1x128_128x128.sm_90";
};

/// Computes as ProductOfScales does, in a build that flushes subnormals to zero.
template <class MatrixUnit>
struct FlushedProductOfScales : BlockRules<MatrixUnit> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) {
    return flushed(simt::fma(flushed(flushed(sa) * flushed(sb)), chain, acc));
  }
};

/// The order along k of a CK instance with 16x16 tiles and KPack 16. hipcc contracts multiplications and additions into FMAs.
/// Source: composable_kernel 1eb2e573, blockwise_gemm_pipeline_xdlops_v1_ab_scale.hpp; AITER e4048607, opus_gemm.
template <class MatrixUnit>
using CkBlocks = LaneOrder<FlushedProductOfScales<MatrixUnit>, 4, 16>;

struct AiterBlockscale : CkBlocks<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale.gfx942";
};
/// Truncates the fp32 result to bf16.
/// Source: csrc/include/opus/opus.hpp, OPUS_FP32_to_BF16_DEFAULT 2.
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
/// The gfx950 version, with OCP codes. MatrixUnit: gfx950's instruction, or a candidate model of it.
template <class MatrixUnit>
struct AiterBlockscaleGfx950 : CkBlocks<MatrixUnit> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_blockscale.gfx950";
};

/// MXFP4. The instruction, or a candidate model of it, applies the scales. Scale bytes are stored row by row.
/// Source: AITER e4048607, _triton_kernels/gemm/basic/gemm_afp4wfp4.py, _gemm_afp4wfp4_kernel.
template <class MatrixUnit>
struct AiterTritonMxfp4Gfx950 : BlockRules<MatrixUnit> {
  static constexpr const char* kContract = "aiter.triton_gemm_afp4wfp4.gfx950";
  static constexpr bool kInUnit = true;
  static constexpr ScaleLevel kLevel = kE8m0Scales;
  static constexpr int64_t kProducts = 32, kRowsOfScaleB = 1;
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t /*blocks*/) {
    return reinterpret_cast<const uint8_t*>(scales.data)[row * scales.row_stride + block * scales.block_stride];
  }
};

/// Split-K: each part's result is rounded to 16 bits and added to d, which starts as zeros. The real kernel adds the parts by
/// atomics in any order; this kernel adds them in ascending order along k.
/// Source: AITER e4048607, gemm_a8w8_blockscale_common.cuh, SetKBatch.
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

/// The weight is shuffled. The scales of `a` are read as a dense matrix [blocks of k, m], whatever the strides of their tensor are.
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
