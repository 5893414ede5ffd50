// Faults of gemm_scaled and of tensor core instructions. Each description cites a bug report or source, or says that the fault is invented.
#include "kernels/faulty/gemm_faults.h"

#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/gemm/mma_kernel.h"

namespace assay_kernels {
namespace {

template <class Rules, int kParts = 1>
Kernel of_gemm(const char* name, const char* twin, const char* cites) {
  return {name,  "gemm_scaled", {Rules::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm<Rules, kParts>, name,
          cites, twin};
}

}  // namespace

std::vector<Kernel> gemm_faults() {
  const char *tensor = "gemm_scaled.tensor", *other = "gemm_scaled";
  return {
      of_gemm<GemmFractionLess>("gemm_fraction_less", tensor,
                                "Khattak, Mikaitis (arXiv 2512.07004): instructions differ in the number of fraction bits; this kernel keeps one bit fewer "
                                "than the chip"),
      of_gemm<GemmNearestForTruncation>("gemm_nearest_for_truncation", tensor,
                                        "Valpey, Li, Pai, Gopalakrishnan 2025 (arXiv 2502.15999) refute assumptions about rounding; this kernel rounds to "
                                        "nearest where the chip truncates"),
      of_gemm<GemmPromotionMissing>("gemm_promotion_missing", other,
                                    "triton 8056: the compiler makes the addition after an fp8 dot a part of the dot, so sums are not promoted to fp32"),
      of_gemm<GemmPromotionLate>("gemm_promotion_late", other,
                                 "cutlass fp8_accumulation.hpp promotes the accumulator when a counter equals a bound; this kernel's bound is too large"),
      of_gemm<GemmPromotionExtra>("gemm_promotion_extra", other,
                                  "this kernel promotes the accumulator to fp32, as another schedule of this CUTLASS mainloop does; the contract does not"),
      of_gemm<GemmAccumulatorF16>("gemm_accumulator_f16", other, "invented fault: this kernel accumulates in f16 instead of f32"),
      of_gemm<GemmFnAsFnuz>("gemm_fn_as_fnuz", other,
                            "aiter utility/dtypes.py e4048607: gfx942 uses fnuz formats, gfx950 does not; this kernel reads OCP codes as fnuz codes"),
      of_gemm<GemmScalesSwapped>("gemm_scales_swapped", other, "pytorch 146655: the scales of a and b are exchanged"),
      of_gemm<GemmTokenScaleNext>("gemm_token_scale_next", other, "invented fault: this kernel scales each row with the scale of the next row"),
      of_gemm<GemmOneChannelScale>("gemm_one_channel_scale", "gemm_scaled.amd",
                                   "invented fault: this kernel uses the first channel's scale for all channels"),
      of_gemm<GemmTailDropped>("gemm_tail_dropped", tensor,
                               "invented fault: this kernel leaves out the elements along k after the last whole instruction"),
      of_gemm<GemmTailHalfUsed>("gemm_tail_half_used", tensor, "invented fault: this kernel leaves out half of the elements in the incomplete last tile along "
                                                               "k"),
      of_gemm<GemmLastRow>("gemm_last_row", other, "invented fault: this kernel computes the last row from the previous row of a, because a bound is one too "
                                                   "low"),
      of_gemm<GemmOffset32bit>("gemm_offset_32bit", other, "flashinfer 3743, deepgemm 226: 32-bit offsets overflow beyond 2^31"),
      of_gemm<GemmTileBefore>("gemm_tile_before", other,
                              "aiter 3445: the kernel reads the previous tile in shared memory, because it does not wait for the copy"),
      of_gemm<GemmWeightTransposed>("gemm_weight_transposed", other,
                                    "invented fault: this kernel reads the weight [n, k] as [k, n], the layout of other libraries"),
      of_gemm<GemmGain>("gemm_gain", other, "invented fault: this kernel's results are 1 % too large, which a global tolerance does not detect"),
      of_gemm<GemmUnknownGain>("gemm_unknown_gain", other,
                               "invented fault: this kernel's results are 5 % too large, which a loose error bound accepts"),
      of_gemm<GemmUnknownTail>("gemm_unknown_tail", tensor,
                               "invented fault: this kernel leaves out the elements along k after the last whole instruction"),
      of_gemm<GemmScaleOrder>("gemm_scale_order", other,
                              "vllm scaled_mm_sm90_fp8_dispatch.cuh: exchanging a and b also exchanges the order of their scales; this kernel exchanges only "
                              "the order of the scales"),
      of_gemm<GemmBiasBeforeScale>("gemm_bias_before_scale", tensor,
                                   "invented fault: this kernel adds the bias before it multiplies by the scales"),
      of_gemm<GemmRoundedTwice>("gemm_rounded_twice", tensor,
                                "aiter op_tests/test_gemm_a8w8.py e4048607: its reference adds the bias to the 16-bit result; this kernel does so, too"),
      of_gemm<GemmSplitRace, 2>("gemm_split_race", "gemm_scaled.split_k",
                                "invented fault: this kernel returns the sum before the last split-K part is added (a race)"),
      of_gemm<GemmBiasUnrounded>("gemm_bias_unrounded", other,
                                 "this kernel adds the bias before rounding, as vLLM's CUTLASS kernels do; the contract adds it afterwards"),
      of_gemm<GemmDotFolded>("gemm_dot_folded", other,
                             "triton 8056: the compiler makes the addition after an fp8 dot a part of the dot, so sums are not promoted to fp32"),
      of_gemm<GemmKAscending>(
          "gemm_k_ascending", "gemm_scaled.amd",
          "composable_kernel 8e22e1ae blockwise_gemm_pipeline_xdlops_base.hpp: lanes take elements that are KPerThread apart along k; this kernel adds along k "
          "in ascending order"),
      of_gemm<GemmSubnormalsKept>("gemm_subnormals_kept", "gemm_scaled.amd",
                                  "aiter/jit/core.py e4048607: a build without -fgpu-flush-denormals-to-zero keeps subnormals; the contract flushes them"),
      of_gemm<GemmZeroNotAdded>(
          "gemm_zero_not_added", tensor,
          "measured: where the product of the scales is 0 and the sum is negative, cuBLASLt 13.1.1 gives +0; this kernel returns -0"),
      of_gemm<GemmSplitKInF32, 2>("gemm_split_k_in_f32", "gemm_scaled.two_results",
                                  "aiter _gemm_a8w8_blockscale_reduce_kernel e4048607: this Triton kernel adds split-K parts in f32; "
                                  "the contract adds rounded parts"),
      of_gemm<GemmSplitKPartLost, 2>("gemm_split_k_part_lost", "gemm_scaled.two_results",
                                     "aiter 2335, 2526: the tuning names a split-K that the kernel does not support; this kernel does not add the last split-K "
                                     "part"),
      of_gemm<GemmAzpLeftOut>("gemm_azp_left_out", other, "invented fault: this kernel does not read the zero points"),
      of_gemm<GemmAzpAdded>("gemm_azp_added", other, "invented fault: this kernel adds the zero points instead of subtracting them"),
      of_gemm<GemmAzpInFloat>("gemm_azp_in_float", other,
                              "invented fault: this kernel subtracts the zero point term in f32; the contract does so in int32"),
      of_gemm<GemmAzpFirstRow>("gemm_azp_first_row", other,
                               "invented fault: this kernel uses the first token's zero point for all tokens"),
      of_gemm<GemmAzpInBias>(
          "gemm_azp_in_bias", other,
          "vllm tests/kernels/quantization/test_cutlass_scaled_mm.py skips the test with the zero point in the bias, because it fails; this kernel subtracts "
          "the zero point term from the bias"),
      of_gemm<GemmInt8Tail>("gemm_int8_tail", "gemm_scaled.amd",
                            "invented fault: this kernel leaves out the elements along k after the last whole instruction; gfx950's instructions are longer "
                            "than gfx942's"),
      of_gemm<GemmInt8BiasBeforeScale>("gemm_int8_bias_before_scale", "gemm_scaled.amd",
                                       "invented fault: this kernel adds the bias before it multiplies by the scales"),
      of_gemm<GemmOcpAsFnuz>("gemm_ocp_as_fnuz", "gemm_scaled.amd.as_gfx942",
                             "aiter utility/dtypes.py e4048607: gfx942 uses fnuz formats, gfx950 does not; this kernel reads OCP codes as fnuz codes"),
      of_gemm<GemmGfx950Gain>("gemm_gfx950_gain", "gemm_scaled.amd.one_rounding",
                              "invented fault: this kernel's results are 5 % too large, which a loose error bound accepts"),
      of_gemm<GemmGfx950WeightTwice>("gemm_gfx950_weight_twice", "gemm_scaled.amd.as_gfx942",
                                     "invented fault: this kernel reads the weight as if it had been shuffled twice"),
      of_gemm<GemmInt8LastProduct>("gemm_int8_last_product", other, "invented fault: this kernel leaves out the last product of each sum"),
  };
}

// Tensor core instructions, emulated with one wrong step: a wrong assumption, or the step of another GPU.

namespace {

using namespace units;

/// Keeps one fraction bit fewer of each term.
struct MmaFractionLess : Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 12;
};

struct MmaFractionMore : Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 14;
};

/// Rounds the result to nearest; the instruction truncates.
struct MmaNearestForTruncation : Sm90WgmmaBf16F32 {
  static constexpr Rounding kRounding = Rounding::kNearest;
};

/// Keeps the full fp32 accumulator of an fp8 instruction; the instruction truncates it.
struct MmaResultNotCut : Sm90WgmmaE4m3F32 {
  static constexpr int kResult = 23;
};

/// Adds c to the first of two partial sums; the instruction adds it after both.
struct MmaCFirst : Sm90MmaE4m3F32 {
  static constexpr bool kAddsCLast = false;
};

/// Splits k into contiguous halves; the instruction interleaves them.
struct MmaHalvesNotInterleaved : Sm90MmaE4m3F32 {
  static constexpr int kPeriod = 0;
};

/// Flushes subnormal inputs, c and results to zero, as CDNA2 does.
struct MmaFlushesSubnormals : Sm90MmaF16F32 {
  template <class F>
  static Number factor(Number read, int) {
    return Tree::normal(read, F::kMantissa);
  }
  template <class F>
  static uint32_t addend(uint32_t c) {
    return (Tree::flushed<F>(c) & (F::kSign - 1)) == 0 ? 0u : c;
  }
  template <class F>
  static uint32_t result(uint32_t d) {
    return addend<F>(d);
  }
};

/// Includes the exponents of zero terms in the largest exponent.
struct MmaZerosCount : Sm90MmaBf16F32 {
  static bool counts(int64_t) { return true; }
};

/// Leaves out the last product: the loop over k ends one step early.
struct MmaProductDropped : Sm90WgmmaF16F32 {
  template <class F>
  static Number factor(Number read, int k) {
    return k == kK - 1 ? number_of<F>(0) : read;
  }
};

/// Gives a zero sum the sign of IEEE 754; the instruction always returns +0.
struct MmaNegativeZero : Sm90MmaF16F32 {
  template <class F>
  static uint32_t zero(bool all_negative) {
    return all_negative ? F::kSign : 0u;
  }
};

/// Returns a NaN whose payload differs from the instruction's.
struct MmaNanPayload : Sm90WgmmaBf16F32 {
  static constexpr uint32_t kNan = 0x7fc00000u;
};

/// Keeps accumulators in fp16.
struct MmaAccumulatorF16 : Sm90WgmmaF16F32 {
  template <class>
  static uint32_t addend(uint32_t c) {
    const Number wide = number_of<F32>(c);
    if (wide.kind != Number::kFinite) return c;
    const auto magnitude = uint64_t(wide.negative ? -wide.significand : wide.significand);
    const Number half = number_of<F16>(rounded<F16>(false, magnitude, wide.exponent - F32::kMantissa, units::Rounding::kNearest));
    if (half.kind != Number::kFinite) return infinity<F32>(wide.negative);
    return rounded<F32>(wide.negative, uint64_t(half.significand), half.exponent - F16::kMantissa, units::Rounding::kNearest);
  }
};

/// Normalizes products before they are aligned, which changes the exponents of products with subnormal inputs.
struct MmaExponentRenormalized : Sm90MmaF16F32 {
  static int exponent(const Number& a, const Number& b) {
    const int64_t product = int64_t{a.significand} * b.significand;
    const int top = product == 0 ? 2 * F16::kMantissa : 63 - __builtin_clzll(uint64_t(product < 0 ? -product : product));
    return top - 2 * F16::kMantissa + a.exponent + b.exponent;
  }
  static int64_t cut(int64_t term, int below) {
    return term != 0 && below < 0 ? term * (int64_t{1} << -below) : Sm90MmaF16F32::cut(term, below);
  }
};

/// Decodes an input as e4m3, whose subnormals share one exponent. The instruction first converts it to fp16.
struct MmaSubnormalsNotUnpacked : Sm90MmaE4m3UnpackedF32 {
  template <class F>
  static Number factor(Number read, int) {
    return read;
  }
};

/// Rounds down; the instruction truncates. (CDNA3 rounds down when it adds c.)
struct MmaFloorForTruncation : Sm90MmaF16F32 {
  static int64_t cut(int64_t term, int below) { return Joined::floored(term, below); }
};

/// Sums blocks of eight products, as Ampere does.
struct MmaHalfBlock : Sm90MmaBf16F32 {
  static constexpr int kTake = 8;
};

/// Uses the minimum exponent of Ampere's instruction.
struct MmaLeastExponent : Sm90MmaBf16F32 {
  static constexpr int kLeast = -132;
};

template <class U>
Kernel of_unit(const char* name, const char* cites) {
  return {name, "mma", {U::kContract}, {{"m", {U::kM}}, {"n", {U::kN}}, {"warp", simt::kWarpSizes}}, {}, run_mma<U>,
          name, cites, "mma"};
}

}  // namespace

std::vector<Kernel> mma_faults() {
  return {
      of_unit<MmaFractionLess>("mma_fraction_less",
                               "Khattak, Mikaitis (arXiv 2512.07004): instructions differ in the number of fraction bits; this kernel keeps one bit fewer than "
                               "the chip"),
      of_unit<MmaFractionMore>("mma_fraction_more", "DeepSeek-V3 (arXiv 2412.19437): the accumulator has about 14 bits; this kernel keeps one bit more than "
                                                    "the chip"),
      of_unit<MmaNearestForTruncation>("mma_nearest_for_truncation",
                                       "Valpey, Li, Pai, Gopalakrishnan 2025 (arXiv 2502.15999) refute assumptions about rounding; this kernel rounds to "
                                       "nearest where the chip truncates"),
      of_unit<MmaResultNotCut>("mma_result_not_cut",
                               "DeepSeek-V3 (arXiv 2412.19437): the accumulator is nominally f32, but has about 14 bits; this kernel keeps all bits of f32"),
      of_unit<MmaCFirst>("mma_c_first", "this kernel adds c to the first of two partial sums, as the PTX ISA describes the instruction; the chip adds c after "
                                        "both"),
      of_unit<MmaHalvesNotInterleaved>("mma_halves_not_interleaved",
                                       "this kernel splits k into two contiguous halves; the chip interleaves the halves, because ptxas 13.0 replaces an e4m3 "
                                       "mma by two f16 instructions"),
      of_unit<MmaFlushesSubnormals>("mma_flushes_subnormals",
                                    "this kernel flushes subnormals, as the MI250X does (MATLAB-tensor-core d12a5b3~1); the contract's sm_90 instruction does "
                                    "not"),
      of_unit<MmaZerosCount>("mma_zeros_count", "MMA-Sim c785138: zero operands have the exponent -126; this kernel includes zero terms when it computes the "
                                                "largest exponent"),
      of_unit<MmaProductDropped>("mma_product_dropped", "invented fault: this kernel leaves out the last product of each sum"),
      of_unit<MmaNegativeZero>("mma_negative_zero", "this kernel returns -0 for a sum of negative zeros, as IEEE 754-2019, 6.3 requires; the contract's "
                                                    "instruction returns +0"),
      of_unit<MmaNanPayload>("mma_nan_payload", "IEEE 754-2019, 6.2: a quiet NaN may have any payload; this kernel returns a payload that the chip does not"),
      of_unit<MmaAccumulatorF16>("mma_accumulator_f16", "invented fault: this kernel accumulates in f16 instead of f32"),
      of_unit<MmaExponentRenormalized>("mma_exponent_renormalized",
                                       "this kernel gives the product 96 * 192 the exponent 14; an H200 was measured to give it 13"),
      of_unit<MmaSubnormalsNotUnpacked>("mma_subnormals_not_unpacked",
                                        "this kernel gives all e4m3 subnormals one exponent; an H200 was measured to convert them to fp16 first, which "
                                        "normalizes them"),
      of_unit<MmaFloorForTruncation>("mma_floor_for_truncation", "this kernel rounds down, as CDNA3 instructions do (MMA-Sim c785138); the contract's sm_90 "
                                                                 "instruction truncates"),
      of_unit<MmaHalfBlock>("mma_half_block", "MMA-Sim c785138: Ampere adds blocks of 8 products, Hopper blocks of 16; this kernel uses Ampere's blocks for "
                                              "Hopper"),
      of_unit<MmaLeastExponent>("mma_least_exponent",
                                "MATLAB-tensor-core b12b5a7: the minimum exponent is -132 on A100 and -133 on H100; this kernel uses A100's for H100"),
  };
}

}  // namespace assay_kernels
