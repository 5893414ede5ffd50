// Faulty kernels of gemm_block_scaled. Each description cites a bug report or source, or says that the fault is invented.

#include "kernels/faulty/gemm_faults.h"
#include "kernels/ops/gemm/gemm_block_scaled_kernel.h"

namespace assay_kernels {

// Block-scaled GEMMs: the correct kernel's rules with one mistake.

/// Rounds the scaled product before it is added; the correct kernel uses a fused multiply-add.
struct BlockGemmTwoRoundings : DeepGemm1d1d {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return acc + sa * sb * chain; }
};

/// Multiplies by one scale after the other; the correct kernel multiplies by the product of both scales.
struct BlockGemmScaleOrder : TorchBlock1x128Tile {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sa, sb, acc); }
};

/// Multiplies by the scale of `b` first, as a kernel that exchanges `a` and `b` does.
struct BlockGemmScaleOfBFirst : VllmTriton {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sb, sa, acc); }
};

/// Reads the scales of `a` transposed: the tensor [m, blocks] as if it were [blocks, m].
struct BlockGemmScaleATransposed : VllmBlockwise {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale, block = k / kProductsOfScale;
    return x.scale_a.row_stride == 1 ? x.scale_a.data[row * blocks + block] : x.scale_a.data[block * x.m + row];
  }
};

/// Reads the scales of the weight `b` transposed: [n, blocks] as if the tensor were [blocks, n].
struct BlockGemmScaleBTransposed : TorchBlock1x128 {
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale, block = k / kProductsOfScale;
    return x.scale_b.row_stride == 1 ? x.scale_b.data[column * blocks + block] : x.scale_b.data[block * x.n + column];
  }
};

/// If k has more than four blocks, assumes that rows of the scales of `b` are padded to 16 bytes. A read past the end gives 1.
struct BlockGemmScaleBPitch : TorchBlock1x128Tile {
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t column, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale, rows = (x.n + x.scale_b.rows - 1) / x.scale_b.rows;
    const int64_t row = column / x.scale_b.rows, block = k / kProductsOfScale;
    if (x.scale_b.block_stride != 1) return scale(x.scale_b, row, block);
    const int64_t at = row * (blocks > 4 ? (blocks + 3) / 4 * 4 : blocks) + block;
    return at < rows * blocks ? x.scale_b.data[at] : 1.0f;
  }
};

/// Uses the scales of `a` that belong to the next block along k.
struct BlockGemmNextBlock : DeepGemm1d2d {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    const int64_t blocks = (x.k + kProductsOfScale - 1) / kProductsOfScale;
    return scale(x.scale_a, row, (k / kProductsOfScale + 1) % blocks);
  }
};

/// Uses the weight scale of the first tile of columns for all columns.
struct BlockGemmFirstTile : DeepGemm1d2d {
  SIMT_DEVICE static float scale_of_column(const BlockGemmArguments& x, int64_t, int64_t k) {
    return scale(x.scale_b, 0, k / kProductsOfScale);
  }
};

/// Uses the scale of the first block of k for all of k.
struct BlockGemmFirstBlock : AiterBlockscale {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t) { return scale(x.scale_a, row, 0); }
};

/// Ignores the incomplete last block of k.
using BlockGemmTailDropped = TailLeftOut<VllmTriton, 128>;

/// Promotes the accumulator only after two blocks, with the scales of the first block.
struct BlockGemmPromotionLate : ProductOfScales<units::Sm90WgmmaE4m3F32, 256> {
  static constexpr const char* kContract = VllmBlockwise::kContract;
};

/// Promotes the accumulator after every 64 products; 64 is the BLOCK_SIZE_K of another tuning.
struct BlockGemmPromotionEarly : ScaleOfRowFirst<units::Sm90WgmmaE4m3F32, 64> {
  static constexpr const char* kContract = VllmTriton::kContract;
};

/// Does not add `c`.
struct BlockGemmCForgotten : DeepGemm1d1d {
  SIMT_DEVICE static float result(float acc, float) { return acc; }
};

/// Exchanges the scales of rows and columns.
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

/// Truncates scales to powers of two, as a kernel that reads only their fp32 exponent fields does.
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

/// MX scales: uses the first of four scale bytes for all 128 elements; each byte belongs to 32 elements.
struct BlockGemmMxFirstOfFour : TiledScales<BlockGemmMxFirstOfFour, units::Sm100Tcgen05MxE4m3F32> {
  static constexpr const char* kContract = TorchMx::kContract;
  SIMT_DEVICE static int64_t block_of(int64_t block) { return block / 4 * 4; }
};

/// MX scales: reads tiled scales as if their bytes were row-major.
struct BlockGemmMxLinear : TorchMx {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return reinterpret_cast<const uint8_t*>(scales.data)[row * blocks + block];
  }
};

/// Keeps one fraction bit fewer of each term.
struct BlockUnitFractionLess : units::Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 12;
};
struct BlockGemmFractionLess : ProductOfScales<BlockUnitFractionLess> {
  static constexpr const char* kContract = DeepGemm1d2d::kContract;
};

/// Decodes fnuz codes as OCP codes, which doubles each value.
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

/// Rounds the bf16 result to nearest; AITER's opus kernel truncates it.
struct BlockGemmRounded : CkBlocks<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = AiterOpusBlockscale::kContract;
};

/// Adds along k in ascending order; the lanes of the real instruction take strided elements.
struct BlockGemmKAscending : FlushedProductOfScales<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = AiterBlockscale::kContract;
};

/// Race: the last split-K part arrives too late and is not added.
struct BlockGemmSplitRace : TorchBlock1x128 {
  SIMT_DEVICE static bool keeps_part(int64_t first, int64_t end, int64_t k) { return first == 0 || end < k; }
};

/// The result is 1 % too large.
struct BlockGemmGain : DeepGemm1d2d {
  SIMT_DEVICE static float result(float acc, float) { return acc * 1.01f; }
};

/// Adds the split-K parts before they are rounded; the contract adds rounded parts.
struct BlockGemmSplitKInF32 : AiterBlockscale {
  static constexpr const char* kContract = AiterBlockscaleSplitK::kContract;
};

/// Reads a shuffled weight as if it were row-major.
struct BlockGemmWeightPlain : AiterBlockscaleBpreshuffle {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t, int64_t all_k) { return column * all_k + k; }
};

using BlockGemmWeightTwice = ShuffledTwice<AiterOpusBlockscaleBpreshuffle>;

/// Reads the scales as row-major; they are stored transposed.
struct BlockGemmScaleRowMajor : AiterBlockscaleBpreshuffle {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return x.scale_a.data[row * ((x.k + kProductsOfScale - 1) / kProductsOfScale) + k / kProductsOfScale];
  }
};

/// Has the fault of BlockGemmScaleRowMajor in a gfx950 contract: reads the scales as row-major; they are stored transposed.
struct BlockGemmGfx950ScaleRowMajor : AiterBlockscaleBpreshuffleGfx950<units::Gfx950MfmaE4m3EachProduct> {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    return x.scale_a.data[row * ((x.k + kProductsOfScale - 1) / kProductsOfScale) + k / kProductsOfScale];
  }
};

/// Uses the bytes of a packed scale word in reverse order.
struct BlockGemmPackedReversed : DeepGemmPacked {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t) {
    return byte_at(scales, row, block / 4, 3 - block % 4);
  }
};

/// Always uses the first byte of a packed scale word.
struct BlockGemmPackedFirstByte : DecodedScales<BlockGemmPackedFirstByte> {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t) {
    return byte_at(scales, row, block / 4, 0);
  }
};

/// Reads packed scales from the next column of words.
struct BlockGemmPackedNextWord : DeepGemmPacked {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return byte_at(scales, row, (block / 4 + 1) % ((blocks + 3) / 4), block % 4);
  }
};

/// Shifts packed scales by 22 bits instead of 23, so the lowest exponent bit comes from the mantissa or the previous byte.
struct BlockGemmPackedMantissa : DecodedScales<BlockGemmPackedMantissa> {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    const uint32_t below = block % 4 > 0 ? byte_at(scales, row, block / 4, block % 4 - 1) : 0u;
    return uint8_t(uint32_t(AssayPacked::scale_byte(scales, row, block, blocks)) << 1 | below >> 7);
  }
};

// FP4: 4-bit codes, a scale for 16 or 32 elements, and alpha.

/// Uses the scales of the next block along k.
struct BlockGemmFp4NextBlock : TimesAlpha<BlockGemmFp4NextBlock, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = VllmNvfp4Mm::kContract;
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return VllmNvfp4Mm::scale_byte(scales, row, (block + 1) % blocks, blocks);
  }
};

/// Uses one scale for 32 elements, as in MXFP4; the contract has one scale for 16.
struct BlockGemmNvfp4BlockOf32 : Fp4Product<BlockGemmNvfp4BlockOf32, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = TorchNvfp4Block::kContract;
  SIMT_DEVICE static int64_t block_of(int64_t block) { return block / 2 * 2; }
};

/// An instruction that reads the first element of each byte of `b` from the byte's high half; the low half holds this element.
struct BlockUnitSwapsHalvesOfB : units::Sm120MmaNvf4F32 {
  template <class U>
  SIMT_DEVICE static uint32_t element(const units::Number* a, const units::Number* b, const units::Number* sfa,
                                      const units::Number* sfb, uint32_t c) {
    units::Number swapped[U::kK];
    for (int k = 0; k < U::kK; ++k) swapped[k] = b[k ^ 1];
    return units::Sm120MmaNvf4F32::element<U>(a, swapped, sfa, sfb, c);
  }
};
struct BlockGemmFp4HalvesSwapped : TimesAlpha<BlockGemmFp4HalvesSwapped, BlockUnitSwapsHalvesOfB> {
  static constexpr const char* kContract = VllmNvfp4MmSm120::kContract;
};

/// Reads the E4M3 scale bytes of NVFP4 as exponents.
struct BlockUnitE4m3AsE8m0 : units::Sm100Tcgen05Nvf4F32 {
  using Scale = units::E8m0;
};
struct BlockGemmE4m3AsE8m0 : TimesAlpha<BlockGemmE4m3AsE8m0, BlockUnitE4m3AsE8m0> {
  static constexpr const char* kContract = FlashinferNvfp4Mm::kContract;
};

/// Reads the exponent bytes of MXFP4 scales as E4M3 codes.
struct BlockUnitE8m0AsE4m3 : units::Sm100Tcgen05Mxf4F32 {
  using Scale = units::Ue4m3;
};
struct BlockGemmE8m0AsE4m3 : Fp4Product<BlockGemmE8m0AsE4m3, BlockUnitE8m0AsE4m3> {
  static constexpr const char* kContract = TorchMxfp4::kContract;
};

/// Rounds the sum to 16 bits before it is multiplied by alpha.
struct BlockGemmRoundedBeforeAlpha : VllmNvfp4Mm {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return simt::to_float(simt::from_float<Y>(sum)) * x.global_a[0];
  }
};

/// Divides by alpha, as if alpha were the factor by which the quantization multiplied.
struct BlockGemmAlphaInverted : VllmNvfp4Mm {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return sum * (1.0f / x.global_a[0]);
  }
};

/// Uses the global scale of `a` for both tensors.
struct BlockGemmScaleOfATwice : TorchNvfp4 {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return x.global_a[0] * x.global_a[0] * sum;
  }
};

/// Does not multiply by the global scale of `b`.
struct BlockGemmScaleOfBForgotten : TorchNvfp4Sm120 {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return x.global_a[0] * sum;
  }
};

/// Adds the bias before the scaled sum is rounded to 16 bits.
struct BlockGemmBiasInF32 : TorchaoNvfp4Mm {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t column, float sum) {
    const float scaled = rounded<Y>(sum) * rounded<Y>(x.global_a[0] * x.global_b[0]);
    return x.bias ? scaled + simt::to_float(static_cast<const Y*>(x.bias)[column]) : scaled;
  }
};

/// Multiplies by the f32 product of both global scales; torchao rounds this product to 16 bits.
struct BlockGemmScaleNotRounded : TorchaoNvfp4Mm {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t column, float sum) {
    const float scaled = rounded<Y>(sum) * (x.global_a[0] * x.global_b[0]);
    return x.bias ? rounded<Y>(scaled) + simt::to_float(static_cast<const Y*>(x.bias)[column]) : scaled;
  }
};

/// Reads tiled scales as if they were row-major.
struct BlockGemmFp4Linear : TorchNvfp4BlockSm120 {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return reinterpret_cast<const uint8_t*>(scales.data)[row * blocks + block];
  }
};

/// MXFP4 on gfx950: uses the scales of the next block along k.
struct BlockGemmMxfp4Gfx950NextBlock : AiterTritonMxfp4Gfx950<units::Gfx950MfmaMxf4OneRounding> {
  SIMT_DEVICE static uint8_t scale_byte(const BlockScales& scales, int64_t row, int64_t block, int64_t blocks) {
    return AiterTritonMxfp4Gfx950::scale_byte(scales, row, (block + 1) % blocks, blocks);
  }
};

/// FP4 decoded in software: multiplies the sum by the global scale of `b`. The contract multiplies each operand of `b` before rounding it.
struct BlockGemmDecodedScaleLate : VllmNvfp4DecodedBf16 {
  SIMT_DEVICE static float operand_of_b(float code, float scale, float /*g*/) { return code * scale; }
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t column, float sum) {
    return VllmNvfp4DecodedBf16::template finished<Y>(x, column, x.global_b[0] * sum);
  }
};

/// Rounds a block's scale to 16 bits before it multiplies the code.
struct BlockGemmDecodedScaleRounded : VllmNvfp4DecodedBf16 {
  SIMT_DEVICE static float operand_of_b(float code, float scale, float g) {
    return code * simt::to_float(simt::from_float<simt::Bf16>(scale * g));
  }
};

/// Reads the first element of each byte of the weight from the byte's high half; the low half holds this element.
struct BlockGemmDecodedHalvesSwapped : TorchaoMxfp4Decoded {
  SIMT_DEVICE static uint32_t code_of_b(const BlockGemmArguments& x, int64_t column, int64_t k) {
    return TorchaoMxfp4Decoded::code_of_b(x, column, k ^ 1);
  }
};

/// Multiplies operands of `a` by the global scale of `a`; the contract divides them by it.
struct BlockGemmDecodedScaleInverted : VllmNvfp4DecodedF16 {
  SIMT_DEVICE static float operand_of_a(float code, float scale, float g) { return code * (scale * g); }
};

/// Adds the bias in fp32, as F.linear does; the contract adds it in 16 bits.
struct BlockGemmDecodedBiasInF32 : VllmNvfp4DecodedBf16 {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t column, float sum) {
    return x.bias ? sum + simt::to_float(static_cast<const Y*>(x.bias)[column]) : sum;
  }
};

namespace {

template <class Rules, int kParts = 1>
Kernel of_block_gemm(const char* name, const char* twin, const char* cites) {
  return {name,
          "gemm_block_scaled",
          {Rules::kContract},
          {{"y", kAny}, {"warp", simt::kWarpSizes}},
          {},
          run_block_gemm<Rules, kParts>,
          name,
          cites,
          twin};
}

}  // namespace

std::vector<Kernel> block_gemm_faults() {
  const char *torch = "gemm_block_scaled.torch", *other = "gemm_block_scaled", *amd = "gemm_block_scaled.amd",
             *fp4 = "gemm_block_scaled.fp4", *decoded = "gemm_block_scaled.decoded";
  return {
      of_block_gemm<BlockGemmTwoRoundings>("block_gemm_two_roundings", other,
                                           "invented fault: this kernel multiplies and adds with two roundings, as a compiler without FMA contraction would; "
                                           "the contract has one fma"),
      of_block_gemm<BlockGemmScaleOrder>(
          "block_gemm_scale_order", torch,
          "cutlass sm90_mma_tma_gmma_ss_warpspecialized_fp8_blockwise_scaling.hpp scales by sa, then sb, or by sa * sb; this kernel does the former, its "
          "contract the latter"),
      of_block_gemm<BlockGemmScaleOfBFirst>("block_gemm_scale_of_b_first", other,
                                            "invented fault: this kernel multiplies by the scale of b before that of a, as a kernel that exchanges a and b "
                                            "would"),
      of_block_gemm<BlockGemmScaleATransposed>("block_gemm_scale_a_transposed", other,
                                               "aiter 4406: the bytes of a strided x_scale are read as if they were transposed"),
      of_block_gemm<BlockGemmScaleBTransposed>("block_gemm_scale_b_transposed", torch,
                                               "invented fault: this kernel reads the weight's scales transposed"),
      of_block_gemm<BlockGemmScaleBPitch>(
          "block_gemm_scale_b_pitch", torch,
          "this kernel reads the scales of b as if each row were padded to a multiple of 4 elements, as torch 2.11 _scaled_mm was measured to do"),
      of_block_gemm<BlockGemmNextBlock>("block_gemm_next_block", other, "invented fault: this kernel scales each block with the scale of the next block along "
                                                                        "k"),
      of_block_gemm<BlockGemmFirstTile>("block_gemm_first_tile", other,
                                        "flashinfer 2261: the columns after the last whole block of n use wrong scales; this kernel uses the first block's "
                                        "scale for all columns"),
      of_block_gemm<BlockGemmFirstBlock>("block_gemm_first_block", amd, "invented fault: this kernel uses a's scale of the first block along k for all of k"),
      of_block_gemm<BlockGemmRounded>("block_gemm_rounded", amd,
                                      "aiter 5151: on gfx942, AITER's opus kernel truncates to bf16; this kernel rounds to nearest"),
      of_block_gemm<BlockGemmKAscending>(
          "block_gemm_k_ascending", amd,
          "composable_kernel 1eb2e573 blockwise_gemm_pipeline_xdlops_v1_ab_scale.hpp: lanes take elements that are KPack apart along k; this kernel adds along "
          "k in ascending order"),
      of_block_gemm<BlockGemmSplitKInF32, 2>(
          "block_gemm_split_k_in_f32", "gemm_block_scaled.two_results",
          "aiter _gemm_a8w8_blockscale_reduce_kernel e4048607: this Triton kernel adds split-K parts in f32; the contract adds rounded parts"),
      of_block_gemm<BlockGemmTailDropped>("block_gemm_tail_dropped", other, "invented fault: this kernel leaves out the incomplete last block along k"),
      of_block_gemm<BlockGemmPromotionLate>("block_gemm_promotion_late", other,
                                            "cutlass fp8_accumulation.hpp promotes the accumulator when a counter equals a bound; this kernel's bound is too "
                                            "large"),
      of_block_gemm<BlockGemmPromotionEarly>("block_gemm_promotion_early", other,
                                             "vllm fp8_utils.py: another tuning has BLOCK_SIZE_K 64, which promotes after every 64 products; this kernel "
                                             "promotes so often, but its contract only after every 128"),
      of_block_gemm<BlockGemmCForgotten>("block_gemm_c_forgotten", other,
                                         "invented fault: this kernel does not add c to the product"),
      of_block_gemm<BlockGemmScalesSwapped>("block_gemm_scales_swapped", torch, "pytorch 146655: the scales of a and b are exchanged"),
      of_block_gemm<BlockGemmScalesCut>("block_gemm_scales_cut", other,
                                        "deepgemm 364: the packer keeps only the exponents of scales that are not powers of two"),
      of_block_gemm<BlockGemmFractionLess>("block_gemm_fraction_less", other,
                                           "Khattak, Mikaitis (arXiv 2512.07004): instructions keep different numbers of fraction bits; this kernel keeps one "
                                           "bit fewer than the chip"),
      of_block_gemm<BlockGemmFnuzAsFn>("block_gemm_fnuz_as_fn", amd,
                                       "aiter utility/dtypes.py e4048607: gfx942 uses fnuz formats, gfx950 does not; this kernel reads fnuz codes as OCP "
                                       "codes"),
      of_block_gemm<BlockGemmWeightPlain>("block_gemm_weight_plain", amd,
                                          "sglang: copy_ into a parameter loses its flag is_shuffled, so a shuffled weight is read as row-major"),
      of_block_gemm<BlockGemmWeightTwice>("block_gemm_weight_twice", amd,
                                          "invented fault: this kernel reads the weight as if it had been shuffled twice"),
      of_block_gemm<BlockGemmGfx950ScaleRowMajor>("block_gemm_gfx950_scale_row_major", "gemm_block_scaled.amd.each_product",
                                                  "aiter 4406: AITER's kernel reads x_scale in one layout, but callers pass two; this kernel reads transposed "
                                                  "scales as row-major"),
      of_block_gemm<BlockGemmScaleRowMajor>("block_gemm_scale_row_major", amd,
                                            "aiter 2358, 4406: a transposed copy of x_scale has other bytes than a transposed view; this kernel reads "
                                            "transposed scales as row-major"),
      of_block_gemm<BlockGemmSplitRace, 2>("block_gemm_split_race", "gemm_block_scaled.split_k",
                                           "invented fault: this kernel returns the sum before the last split-K part is added (a race)"),
      of_block_gemm<BlockGemmPackedReversed>("block_gemm_packed_reversed", "gemm_block_scaled.blackwell",
                                             "deepgemm smxx_layout.cuh: byte j of int32 p is scale 4 p + j, little endian; this kernel uses the bytes in "
                                             "reverse order"),
      of_block_gemm<BlockGemmPackedFirstByte>("block_gemm_packed_first_byte", other,
                                              "deepgemm sm100_fp8_fp4_gemm_1d1d.cuh: sf_id = k_block % 4 chooses the byte; this kernel always uses the first "
                                              "byte"),
      of_block_gemm<BlockGemmPackedNextWord>("block_gemm_packed_next_word", "gemm_block_scaled.blackwell",
                                             "invented fault: this kernel reads packed scales from the next column of int32 words"),
      of_block_gemm<BlockGemmPackedMantissa>("block_gemm_packed_mantissa", other,
                                             "deepgemm 364, sglang 25733: mantissa bits get into the exponent byte of a packed scale"),
      of_block_gemm<BlockGemmMxFirstOfFour>("block_gemm_mx_first_of_four", "gemm_block_scaled.blackwell",
                                            "deepgemm 1x128 recipes use one scale byte for 128 elements, MX one for every 32; this kernel uses one byte for "
                                            "128 elements in an MX contract"),
      of_block_gemm<BlockGemmMxLinear>("block_gemm_mx_linear", "gemm_block_scaled.blackwell",
                                       "vllm 42118: scales are not tiled after an all-to-all; this kernel reads tiled scales as row-major"),
      of_block_gemm<BlockGemmGain>("block_gemm_gain", other,
                                   "invented fault: this kernel's results are 1 % too large, which a global tolerance does not detect"),
      of_block_gemm<BlockGemmFp4NextBlock>("fp4_gemm_next_block", fp4, "invented fault: this kernel scales each block with the scale of the next block along "
                                                                       "k"),
      of_block_gemm<BlockGemmNvfp4BlockOf32>("nvfp4_gemm_block_of_32", fp4,
                                             "flashinfer mm_fp4: the caller passes block_size, 16 or 32; this kernel uses 32 for NVFP4, whose blocks have 16 "
                                             "elements"),
      of_block_gemm<BlockGemmFp4HalvesSwapped>("fp4_gemm_halves_swapped", fp4,
                                               "PTX ISA: the first operand of cvt.e2m1x2 becomes the high half of a byte; this kernel exchanges both elements "
                                               "of each byte"),
      of_block_gemm<BlockGemmE4m3AsE8m0>("nvfp4_gemm_scale_as_e8m0", fp4,
                                         "flashinfer mm_fp4: the argument use_nvfp4 says how uint8 scales are decoded; this kernel decodes NVFP4 scales as "
                                         "E8M0"),
      of_block_gemm<BlockGemmE8m0AsE4m3>("mxfp4_gemm_scale_as_e4m3", fp4,
                                         "flashinfer mm_fp4: the argument use_nvfp4 says how uint8 scales are decoded; this kernel decodes MXFP4 scales as "
                                         "E4M3"),
      of_block_gemm<BlockGemmRoundedBeforeAlpha>("nvfp4_gemm_rounded_before_alpha", fp4,
                                                 "vLLM #37135: the sum is rounded to 16 bits before it is multiplied by the global scale"),
      of_block_gemm<BlockGemmAlphaInverted>(
          "nvfp4_gemm_alpha_inverted", fp4,
          "flashinfer mm_fp4: alpha is 1 / (a_global_sf * b_global_sf), the inverse of the quantization factors; this kernel divides the sum by alpha instead "
          "of multiplying"),
      of_block_gemm<BlockGemmScaleOfATwice>("nvfp4_gemm_scale_of_a_twice", fp4,
                                            "invented fault: this kernel uses the global scale of a for both a and b"),
      of_block_gemm<BlockGemmScaleOfBForgotten>("nvfp4_gemm_scale_of_b_forgotten", fp4,
                                                "pytorch ScaledBlas.cpp rejects a call with only one global scale; this kernel does not multiply by the global "
                                                "scale of b"),
      of_block_gemm<BlockGemmBiasInF32>("nvfp4_gemm_bias_in_f32", fp4,
                                        "torchao nvfp4_tensor.py adds the bias after rounding; this kernel adds it before"),
      of_block_gemm<BlockGemmScaleNotRounded>("nvfp4_gemm_scale_not_rounded", fp4,
                                              "torchao nvfp4_tensor.py rounds the product of both global scales to 16 bits; this kernel does not"),
      of_block_gemm<BlockGemmFp4Linear>("nvfp4_gemm_linear_scales", fp4, "vLLM #50084: the tiled scales of a cache are read as row-major"),
      of_block_gemm<BlockGemmMxfp4Gfx950NextBlock>("mxfp4_gfx950_gemm_next_block", "gemm_block_scaled.mxfp4.one_rounding",
                                                   "invented fault: this kernel scales each block with the scale of the next block along k"),
      of_block_gemm<BlockGemmDecodedScaleLate>("nvfp4_decoded_gemm_scale_late", decoded,
                                               "vLLM #37135: a value is rounded to 16 bits before it is multiplied by the global scale; this kernel does so "
                                               "with the elements of b"),
      of_block_gemm<BlockGemmDecodedScaleRounded>("nvfp4_decoded_gemm_scale_rounded", decoded,
                                                  "torchao mx_tensor.py to_dtype rounds the scale to the target type before it multiplies by it; the contract "
                                                  "does not round the scale"),
      of_block_gemm<BlockGemmDecodedHalvesSwapped>("mxfp4_decoded_gemm_halves_swapped", decoded,
                                                   "torchao kernels.py unpack_uint4: the first element is in the low half of a byte; this kernel reads it from "
                                                   "the high half"),
      of_block_gemm<BlockGemmDecodedScaleInverted>("nvfp4_decoded_gemm_scale_inverted", decoded,
                                                   "vLLM nvfp4_emulation_utils.py divides by input_global_scale and multiplies by weight_global_scale; this "
                                                   "kernel multiplies by both"),
      of_block_gemm<BlockGemmDecodedBiasInF32>("nvfp4_decoded_gemm_bias_in_f32", decoded,
                                               "vLLM emulation.py adds the bias after torch.matmul; this kernel adds it before the sum is rounded"),
  };
}

}  // namespace assay_kernels
