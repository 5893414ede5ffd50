// Faults of FP4 quantization. Each description cites a bug report or source, or says that the fault is invented.
#include <type_traits>

#include "kernels/faulty/quant_faults.h"
#include "kernels/ops/call.h"
#include "kernels/ops/quant_mx/quant_fp4_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"
#include "kernels/ops/silu_mul/silu_mul_quant_kernel.h"

namespace assay_kernels {
namespace {

// Mistakes in codes of NVFP4 or MXFP4.

/// Rounds ties away from zero: 0.25, 1.25, 2.5 and 5 get the larger code; ties to even give the smaller one.
template <class Base>
struct Fp4TiesAway : Base {
  static uint32_t code(float v) {
    const float m = simt::magnitude(v);
    const bool tie = m == 0.25f || m == 1.25f || m == 2.5f || m == 5.0f;
    return e2m1_code(v) + uint32_t(tie);
  }
};

/// Truncates instead of rounding.
template <class Base>
struct Fp4Truncated : Base {
  static uint32_t code(float v) {
    const float m = simt::magnitude(v);
    if (!(m < 6.0f)) return e2m1_code(v);
    const uint32_t code = uint32_t(m >= 0.5f) + uint32_t(m >= 1.0f) + uint32_t(m >= 1.5f) + uint32_t(m >= 2.0f) +
                          uint32_t(m >= 3.0f) + uint32_t(m >= 4.0f);
    return (simt::bits(v) >> 28 & 8u) | code;
  }
};

/// Stores the even element in the high half of the byte; it belongs in the low half.
template <class Base>
struct Fp4NibblesSwapped : Base {
  static uint8_t pair(uint32_t first, uint32_t second) { return uint8_t(second | first << 4); }
};

/// Does not write the padding of the scale tensor.
template <class Base>
struct Fp4StalePadding : Base {
  static constexpr bool kWritesPadding = false;
};

// NVFP4.

/// Tests amax for zero instead of the scale: a scale that was rounded to 0 then has an infinite reciprocal.
struct Nvfp4GuardOfAmax : VllmNvfp4 {
  static float multiplier(float amax, uint32_t e, float global) {
    return amax != 0.0f && e == 0u ? simt::from_bits(0x7f800000u) : VllmNvfp4::multiplier(amax, e, global);
  }
};

/// Divides by the tensor's scale; the contract multiplies by it.
struct Nvfp4DecodeScale : VllmNvfp4 {
  static uint8_t scale(float amax, float global) { return VllmNvfp4::scale(amax, 1.0f / global); }
  static float multiplier(float amax, uint32_t e, float global) { return VllmNvfp4::multiplier(amax, e, 1.0f / global); }
};

/// Does not read the tensor's scale.
struct Nvfp4TensorScaleForgotten : VllmNvfp4 {
  static uint8_t scale(float amax, float /*global*/) { return VllmNvfp4::scale(amax, 1.0f); }
  static float multiplier(float amax, uint32_t e, float /*global*/) { return VllmNvfp4::multiplier(amax, e, 1.0f); }
};

/// Assumes that the tensor's scale is 448 / amax; it is 448 * 6 / amax, where 6 is E2M1's largest value.
struct Nvfp4Factor448 : VllmNvfp4 {
  static uint8_t scale(float amax, float global) { return simt::to_e4m3fn_sat(global * amax); }
};

/// Rounds a block's scale down to E4M3, so the largest element of the block is clipped.
struct Nvfp4ScaleTruncated : VllmNvfp4 {
  static uint8_t scale(float amax, float global) {
    const float v = global * (amax * simt::reciprocal_within(6.0f));
    const uint8_t nearest = simt::to_e4m3fn_sat(v);
    return e4m3_value(nearest) > v ? uint8_t(nearest - 1) : nearest;
  }
};

/// Takes amax over 32 elements; a block has 16.
struct Nvfp4BlockOf32 : VllmNvfp4 {
  static int64_t first_of_amax(int64_t element, int64_t columns) {
    const int64_t column = element % columns, first = column - column % 32;
    return element - column + (first + 32 <= columns ? first : columns - 32);
  }
  template <class Rules>
  static constexpr int amax_size() {
    return 32;
  }
};

/// Uses a reciprocal with eight significant bits, such as a hardware estimate without a Newton step.
struct Nvfp4RoughReciprocal : VllmNvfp4 {
  static float multiplier(float amax, uint32_t e, float global) {
    return simt::from_bits((simt::bits(VllmNvfp4::multiplier(amax, e, global)) + 0x8000u) & 0xffff0000u);
  }
};

/// Has no lower limit for the scale, so a block of zeros is divided by 0.
struct Nvfp4FloorMissing : TorchaoNvfp4 {
  static uint8_t scale(float amax, float global) { return simt::to_e4m3fn_sat(amax / 6.0f / global); }
};

// MXFP4.

/// Truncates amax to a power of two; the contract rounds it.
struct Mxfp4FloorForEven : VllmMxfp4 {
  static uint8_t scale(float amax, float /*global*/) {
    const uint32_t e = simt::bits(amax) >> 23;
    return uint8_t(e > 2u ? (e < 255u ? e - 2u : 253u) : 0u);
  }
};

/// Rounds amax with the constant for E4M3's three mantissa bits; E2M1 has one mantissa bit.
struct Mxfp4ConstantOfFp8 : VllmMxfp4 {
  static uint8_t scale(float amax, float /*global*/) {
    const uint32_t e = (simt::bits(amax) + 0x80000u) >> 23;
    return uint8_t(e > 2u ? e - 2u : 0u);
  }
};

/// Rounds amax / 6 down to a power of two; the contract rounds up.
struct Mxfp4FloorForCeil : FlashinferMxfp4 {
  static uint8_t scale(float amax, float /*global*/) {
    const float y = flushed(amax * (1.0f / 6.0f));
    const uint32_t b = simt::bits(y);
    return uint8_t(b > 0x7f800000u ? 255u : b == 0x7f800000u ? 254u : b >> 23);
  }
};

/// Computes the exponent from amax; the contract computes it from amax / 4.
struct Mxfp4NoEmax : TorchaoMxfp4Floor {
  static uint8_t scale(float amax, float /*global*/) {
    const uint32_t e = simt::bits(amax) >> 23;
    return uint8_t(amax != amax ? 255u : e < 253u ? e : 253u);
  }
};

/// Ignores NaN in the maximum; torch's maximum keeps it.
struct Mxfp4NanLaundering : TorchaoMxfp4Even {
  static float with_nan(float amax, bool /*all*/) { return amax; }
};

// NVFP4 after silu(gate) * up and after a norm, and FlashInfer's 4over6.

// 4over6 tries two scales per block, which map amax to 6 or to 4, and keeps the one with the smaller error.

/// Always keeps the scale that maps amax to 6.
struct Nvfp4RivalNever : FlashinferNvfp44over6 {
  static bool is_better(float /*rival*/, float /*own*/) { return false; }
};

/// Compares sums of squared errors; the contract compares sums of magnitudes.
struct Nvfp4RivalBySquares : FlashinferNvfp44over6 {
  static float error(float code, float scale, float global, float v) {
    const float e = FlashinferNvfp44over6::error(code, scale, global, v);
    return e * e;
  }
};

/// Always uses the scale that maps amax to 4.
struct Nvfp4RivalAlways : FlashinferNvfp44over6CuteExact {
  static bool is_better(float /*rival*/, float /*own*/) { return true; }
};

/// Leaves out the early return for a block of zeros. Its scale is 0, so each element becomes 0 * (1 / 0), which is NaN.
struct Nvfp4RivalOfZeros : FlashinferNvfp44over6Fast {
  static bool is_empty(float /*amax*/) { return false; }
  static float multiplier(float amax, uint32_t e, float global) {
    return e == 0u ? simt::from_bits(0x7f800000u) : FlashinferNvfp44over6Fast::multiplier(amax, e, global);
  }
};

/// Quantizes the fp32 product to NVFP4; the contract first rounds it to 16 bits.
struct SiluNvfp4NotRounded : VllmSiluNvfp4 {
  using Activation = SiluFast;
};

/// Takes the second half of a row as the gate.
struct SiluNvfp4HalvesSwapped : VllmSiluNvfp4 {
  static constexpr bool kGateFirst = false;
};

struct SiluNvfp4TensorScaleForgotten : VllmSiluNvfp4 {
  struct Group : Nvfp4TensorScaleForgotten {
    static constexpr bool kWritesPadding = false;
  };
};

/// Multiplies by the weight in fp32; the contract rounds that product to 16 bits.
struct NormFp4WideProduct : FlashinferNormFp4 {
  using Norm = WideNorm;
};

/// Divides by the tensor's scale, as FlashInfer's docstring says; the kernel multiplies by it.
struct NormFp4DividesByScale : FlashinferNormFp4 {
  struct Group : FlashinferNormNvfp4 {
    static uint8_t scale(float amax, float global) { return FlashinferNormNvfp4::scale(amax, 1.0f / global); }
    static float multiplier(float amax, uint32_t e, float global) {
      return FlashinferNormNvfp4::multiplier(amax, e, 1.0f / global);
    }
  };
};

/// Normalizes the fp32 sum; the contract normalizes the stored 16-bit sum.
struct AddNormFp4WideSum : FlashinferAddNormFp4 {
  using Norm = WideAddNorm;
};

/// An op with FP4 results. `twin` is the name of its correct kernel; the last two fields list what this kernel accepts.
struct Fp4Op {
  const char *op, *twin;
  Values group_size, layouts;
};

template <class Rules, class = void>
struct OfFp4 {
  static Fp4Op op() {
    return Rules::kBlock == 16 ? Fp4Op{"quant_group", "quant_nvfp4", {"16+tensor"}, kNvfp4Layouts}
                               : Fp4Op{"quant_group", "quant_mxfp4", {32}, kMxfp4Layouts};
  }
  static constexpr auto run = run_fp4<Rules>;
};
template <class Rules>
struct OfFp4<Rules, std::void_t<typename Rules::Activation>> {
  static Fp4Op op() { return {"silu_mul_quant_group", "silu_mul_quant_fp4", {"16+tensor"}, {"ue4m3_128x4"}}; }
  static constexpr auto run = run_silu_mul_quant_fp4<Rules>;
};
template <class Rules>
struct OfFp4<Rules, std::void_t<typename Rules::Norm>> {
  static Fp4Op op() { return {"rms_norm_quant_group", "rms_norm_quant_fp4", {"16+tensor"}, {"ue4m3_row", "ue4m3_128x4"}}; }
  static constexpr auto run = run_rms_norm_quant_fp4<Rules>;
};

/// Row of the kernel table for a faulty kernel. `layouts`: scale layouts in which the fault changes the outputs.
template <class Rules>
Kernel of_fp4(const char* name, const char* cites, void (*run)(const Call&) = OfFp4<Rules>::run,
              const Values& layouts = OfFp4<Rules>::op().layouts) {
  const Fp4Op of = OfFp4<Rules>::op();
  return {name,
          of.op,
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", of.group_size}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run,
          name,
          cites,
          of.twin};
}

// Rows of experts.

/// Uses the global scale of the first expert for all experts.
struct ExpertsNvfp4FirstScale : VllmNvfp4Experts {
  template <class Out>
  static int64_t tensor_of(const Out& /*out*/, int64_t /*row*/) {
    return 0;
  }
};

/// Uses the global scale of the next expert, as if the experts' row offsets were the ends of their rows.
struct ExpertsNvfp4NextScale : VllmNvfp4Experts {
  template <class Out>
  static int64_t tensor_of(const Out& out, int64_t row) {
    return (out.tensor_of(row) + 1) % out.experts;
  }
};

/// After SiLU, uses the global scale of the first expert for all experts.
struct SiluExpertsFirstScale : VllmSiluNvfp4Experts {
  using Group = ExpertsNvfp4FirstScale;
};

/// After SiLU, quantizes the fp32 product to MXFP4; the contract first rounds it to 16 bits.
struct SiluExpertsMxfp4NotRounded : VllmSiluMxfp4Experts {
  using Activation = SiluFast;
};

// Masked experts.

/// Quantizes all rows of an expert, including those not in use.
template <class Base>
struct MaskedBeyondTokens : Base {
  template <class Out>
  static bool uses(const Out& /*out*/, int64_t /*row*/) {
    return true;
  }
};

/// Treats the number of rows in the mask as the index of the last row in use, so one row too many is quantized.
struct MaskedOneRowMore : FlashinferNvfp4Experts {
  static bool uses(const MaskedBytesOut& out, int64_t row) { return out.row_in_expert(row) <= out.tokens[out.expert_of(row)]; }
};

/// Uses the row count of the first expert for all experts.
struct MaskedFirstMask : FlashinferNvfp4ExpertsExact {
  static bool uses(const MaskedBytesOut& out, int64_t row) { return out.row_in_expert(row) < out.tokens[0]; }
};

/// Uses the global scale of the first expert for all experts.
struct MaskedFirstScale : FlashinferNvfp4Experts {
  static int64_t tensor_of(const MaskedBytesOut& /*out*/, int64_t /*row*/) { return 0; }
};

/// After SiLU, quantizes all rows of an expert, including those not in use.
struct SiluMaskedBeyondTokens : FlashinferSiluNvfp4Experts {
  using Group = MaskedBeyondTokens<FlashinferNvfp4Experts>;
};

/// Places the scales of all experts as if the experts were one matrix; each expert's scales should begin in a new tile.
struct TilesOfRooms : MaskedBytesOut {
  int64_t place(int64_t row, int32_t g) const { return place_in_tiles(ScaleTile::k128x4, padded_groups, row, g); }
};

/// Quantizes the fp32 product to NVFP4; the contract first rounds it to 16 bits.
struct SiluMaskedNotRounded : FlashinferSiluNvfp4Experts {
  using Activation = SiluFast;
};

/// Does not flush subnormal elements of the up half to 0, as in a build without fast math.
struct SiluMaskedNotFlushed : FlashinferSiluNvfp4ExpertsExact {
  struct Activation : FlashinferSiluFast {
    static float product(float silu, float up) { return flushed(flushed(silu) * up); }
  };
};

template <class Rules>
Kernel of_fp4_masked(const char* name, const char* cites, void (*run)(const Call&) = run_fp4_masked<Rules>) {
  return {name, "quant_masked", {Rules::kContract}, kNvfp4ExpertsAccepts, {}, run, name, cites, "quant_nvfp4_masked"};
}
template <class Rules>
Kernel of_silu_masked(const char* name, const char* cites) {
  return {name, "silu_mul_quant_masked", {Rules::kContract}, kNvfp4ExpertsAccepts, {}, run_silu_mul_quant_fp4_masked<Rules>, name, cites,
          "silu_mul_quant_nvfp4_masked"};
}

void run_tiles_of_rooms(const Call& call) {
  using Rules = FlashinferNvfp4Experts;
  const MaskedBytesOut out = masked_bytes_out(call, dense_matrix(call.input("x")), Rules::kBlock, Rules::kScaleType);
  launch_fp4<Rules>(call, TilesOfRooms{out}, out.rows / int64_t{out.by_room.divisor});
}

template <class Rules>
Kernel of_fp4_experts(const char* name, const char* cites, const char* twin, const Accepts& accepts) {
  return {name, "quant_experts", {Rules::kContract}, accepts, {}, run_fp4_experts<Rules>, name, cites, twin};
}
template <class Rules>
Kernel of_silu_experts(const char* name, const char* cites, const char* twin, const Accepts& accepts) {
  return {name, "silu_mul_quant_experts", {Rules::kContract}, accepts, {}, run_silu_mul_quant_fp4_experts<Rules>, name, cites, twin};
}

/// Runs a contract's kernel, but stores the scales at the positions that `Places` computes.
template <class Rules, class Places>
void run_fp4_misplaced(const Call& call) {
  launch_fp4<Rules>(call, Places{fp4_bytes_out(call, dense_matrix(call.input("x")), Rules::kBlock, Rules::kScaleType)});
}

}  // namespace

std::vector<Kernel> fp4_faults() {
  return {
      of_fp4<Nvfp4GuardOfAmax>("nvfp4_guard_of_amax", "flashinfer #2441: the kernel tests amax for 0 instead of the scale, which can be rounded to 0 where "
                                                      "amax is not 0"),
      of_fp4<Nvfp4DecodeScale>("nvfp4_decode_scale",
                               "flashinfer rmsnorm_fp4quant.py: the docstring divides by the tensor's scale, the code multiplies; this kernel divides"),
      of_fp4<Nvfp4TensorScaleForgotten>("nvfp4_tensor_scale_forgotten", "vLLM #34577: the kernel uses 1 instead of global_scale"),
      of_fp4<Nvfp4Factor448>("nvfp4_factor_448",
                             "torchao nvfp4_tensor.py, per_tensor_amax_to_scale: a comment says why 6 (F4_E2M1_MAX) must be a factor; this kernel leaves out "
                             "the factor"),
      of_fp4<Nvfp4ScaleTruncated>("nvfp4_scale_truncated", "vllm-omni #4025: scales are cast to e4m3 by hand; this kernel's cast rounds down"),
      of_fp4<Fp4TiesAway<TransformerEngineNvfp4>>("nvfp4_ties_away", "aiter #3992: ties are rounded away from zero in MXFP4 codes; this kernel does so in "
                                                                     "NVFP4 codes"),
      of_fp4<Fp4NibblesSwapped<VllmNvfp4>>("nvfp4_nibbles_swapped",
                                           "PTX ISA: the first operand of cvt.e2m1x2 becomes the high half of a byte; this kernel exchanges both elements of "
                                           "each byte"),
      of_fp4<VllmNvfp4>("nvfp4_unswizzled_scales", "vLLM #50084: this kernel stores tiled scales "
                                                   "row-major", run_fp4_misplaced<VllmNvfp4, RowMajorBytes>, {"ue4m3_128x4"}),
      of_fp4<Nvfp4BlockOf32>("nvfp4_block_of_32", "invented fault: this kernel takes amax over 32 elements, the block size of MXFP4; NVFP4 has blocks of 16"),
      of_fp4<Nvfp4RoughReciprocal>("nvfp4_rough_reciprocal", "invented fault: this kernel uses a reciprocal with 8 correct bits; PTX rcp.approx has 23"),
      of_fp4<Fp4StalePadding<VllmNvfp4>>("nvfp4_stale_padding", "vLLM #45741, vLLM #31097: this kernel does not write the padding of the scale "
                                                                "tensor", run_fp4<Fp4StalePadding<VllmNvfp4>>,
                                         {"ue4m3_128x4"}),
      of_fp4<Nvfp4FloorMissing>("nvfp4_floor_missing", "flashinfer #3448 is about a row of zeros; this kernel divides such a row by 0"),
      of_fp4_experts<ExpertsNvfp4FirstScale>("nvfp4_experts_first_scale",
                                             "invented fault: this kernel reads SFScale[0], the first expert's global scale, for every expert",
                                             "quant_nvfp4_experts", kNvfp4ExpertsAccepts),
      of_fp4_experts<ExpertsNvfp4NextScale>("nvfp4_experts_next_scale",
                                            "vLLM mxfp4_experts_quant.cu: with 17 experts, offsets after the last one are read; this kernel uses the next "
                                            "expert's global scale",
                                            "quant_nvfp4_experts", kNvfp4ExpertsAccepts),
      of_fp4<Nvfp4RivalNever>("nvfp4_rival_never", "flashinfer #3264: an environment variable turns 4over6 on; this kernel always maps amax to 6"),
      of_fp4<Nvfp4RivalBySquares>("nvfp4_rival_by_squares",
                                  "vLLM nvfp4_kv_cache_kernels.cu adds squares of errors, FlashInfer adds their magnitudes; this kernel adds squares under "
                                  "FlashInfer's contract"),
      of_fp4<Nvfp4RivalAlways>("nvfp4_rival_always", "flashinfer #3448: both scales are scored in FP16; this kernel always chooses the scale that maps amax to "
                                                     "4 instead of 6"),
      of_fp4<Nvfp4RivalOfZeros>("nvfp4_rival_of_zeros", "flashinfer quantization_utils.cuh returns early if amax is 0; this kernel does not, so a block of "
                                                        "zeros becomes NaN"),
      of_silu_experts<SiluExpertsFirstScale>("silu_nvfp4_experts_first_scale",
                                             "invented fault: this kernel reads SFScale[0], the first expert's global scale, for every expert",
                                             "silu_mul_quant_nvfp4_experts", kNvfp4ExpertsAccepts),
      of_fp4_masked<MaskedBeyondTokens<FlashinferNvfp4Experts>>("nvfp4_masked_beyond_tokens",
                                                                "flashinfer #1927 reverts a masked kernel that failed for some shapes; this kernel quantizes "
                                                                "all rows of an expert, even those not in use"),
      of_fp4_masked<MaskedOneRowMore>("nvfp4_masked_one_row_more",
                                      "flashinfer quantization.cuh leaves the rows from mask[expert] on unwritten; this kernel writes one row more"),
      of_fp4_masked<MaskedFirstMask>("nvfp4_masked_first_mask", "invented fault: this kernel reads mask[0], the first expert's row count, for every expert"),
      of_fp4_masked<MaskedFirstScale>("nvfp4_masked_first_scale",
                                      "flashinfer #2977: the docstring has one global_scale for all experts; this kernel uses the first expert's scale"),
      of_fp4_masked<FlashinferNvfp4Experts>("nvfp4_masked_tiles_of_rooms", "vLLM #42984: the scales of different experts share tiles; each expert's scales "
                                                                           "should begin in a new tile",
                                            run_tiles_of_rooms),
      of_silu_masked<SiluMaskedBeyondTokens>("silu_nvfp4_masked_beyond_tokens",
                                             "flashinfer #3057: rows of padding hold NaN; this kernel quantizes these rows, too"),
      of_silu_masked<SiluMaskedNotRounded>("silu_nvfp4_masked_not_rounded",
                                           "flashinfer trace/templates/activation.py: the reference quantizes the fp32 product; the contract "
                                           "first rounds it to 16 bits"),
      of_silu_masked<SiluMaskedNotFlushed>("silu_nvfp4_masked_not_flushed",
                                           "flashinfer/jit/core.py builds with -use_fast_math, which flushes subnormals; this kernel does not flush them"),
      of_silu_experts<SiluExpertsMxfp4NotRounded>("silu_mxfp4_experts_not_rounded",
                                                  "aiter act_mul_and_mxfp4_quant quantizes the fp32 product; the contract first rounds it to 16 bits",
                                                  "silu_mul_quant_mxfp4_experts", kMxfp4ExpertsAccepts),
      of_fp4<SiluNvfp4NotRounded>("silu_nvfp4_not_rounded",
                                  "vLLM test_silu_mul_nvfp4_quant.py does not detect that a kernel, such as this one, does not round the product: its "
                                  "tolerances are 0.3"),
      of_fp4<SiluNvfp4HalvesSwapped>("silu_nvfp4_halves_swapped",
                                     "vLLM #11624: mul_and_silu applies the activation to the other half; this kernel takes the second half as the gate"),
      of_fp4<SiluNvfp4TensorScaleForgotten>("silu_nvfp4_tensor_scale_forgotten", "vLLM #34577: the kernel uses 1 instead of global_scale"),
      of_fp4<NormFp4WideProduct>("norm_nvfp4_wide_product",
                                 "flashinfer add_rmsnorm_fp4quant.py: rows of one block multiply by the weight in fp32; this kernel does so in all rows"),
      of_fp4<NormFp4DividesByScale>("norm_nvfp4_divides_by_scale",
                                    "flashinfer rmsnorm_fp4quant.py: the docstring divides by the tensor's scale, the code multiplies; this kernel divides"),
      of_fp4<AddNormFp4WideSum>("add_norm_nvfp4_wide_sum",
                                "flashinfer fused_add_rmsnorm.py: without FP4 the sum is normalized in fp32; this kernel does so before FP4, too"),
      of_fp4<Mxfp4FloorForEven>("mxfp4_floor_for_even", "ATOM #1601: one model uses two rounding rules for scales; this kernel truncates amax to a power of "
                                                        "two instead of rounding it"),
      of_fp4<Mxfp4ConstantOfFp8>("mxfp4_constant_of_fp8",
                                 "aiter _mxfp8_quant_op rounds FP8's amax with FP4's rounding constant; this kernel rounds FP4's amax with FP8's"),
      of_fp4<Mxfp4FloorForCeil>("mxfp4_floor_for_ceil", "vLLM #43557: the exponent of amax / 6 is rounded down; the contract rounds it up"),
      of_fp4<Mxfp4NoEmax>("mxfp4_no_emax", "vLLM #53110: the exponent of an MXFP8 scale is computed from amax; this kernel does so for MXFP4, whose contract "
                                           "uses amax / 4"),
      of_fp4<Mxfp4NanLaundering>("mxfp4_nan_laundering", "pytorch/ao #4201: this kernel ignores NaN in amax; the contract keeps it"),
      of_fp4<Fp4TiesAway<AiterTritonMxfp4>>("mxfp4_ties_away", "aiter #3992, aiter #4030: this kernel rounds ties away from zero; the contract rounds them to "
                                                               "even"),
      of_fp4<Fp4Truncated<AiterPer1x32Mxfp4>>("mxfp4_codes_truncated", "rocm-systems #6877: conversions to narrow formats truncate instead of rounding"),
      of_fp4<Fp4NibblesSwapped<TorchaoMxfp4Floor>>("mxfp4_nibbles_swapped",
                                                   "torchao pack_uint4: the even element is the low half of a byte; this kernel stores it in the high half"),
      of_fp4<TorchaoMxfp4Rceil>("mxfp4_unswizzled_scales", "TransformerEngine #3070: this kernel stores tiled scales row-major",
                                run_fp4_misplaced<TorchaoMxfp4Rceil, RowMajorBytes>, {"e8m0_128x4"}),
      of_fp4<Fp4StalePadding<FlashinferMxfp4>>("mxfp4_stale_padding", "flashinfer #2726: this kernel does not write the padding of the scale tensor",
                                               run_fp4<Fp4StalePadding<FlashinferMxfp4>>, {"e8m0_128x4"}),
  };
}

}  // namespace assay_kernels
