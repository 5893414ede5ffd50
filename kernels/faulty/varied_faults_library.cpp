// libassay_varied.so: kernels that test the diagnosis. Some have faults of libassay_faulty.so in other contracts, or pairs of
// faults. Others have mistakes that no mutant describes, or correct results that differ within their accepted intervals.
#include "assay/plugin/library.hpp"
#include "kernels/faulty/cache_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/quant_faults.h"
#include "kernels/faulty/silu_faults.h"
#include "kernels/ops/call.h"
#include "kernels/ops/quant_group/quant_group_contracts.h"

namespace assay_kernels {

/// The citation of all these kernels: the table of expected diagnoses.
inline constexpr const char* kHere = "suites/catches/diagnosis.csv";
inline const Values kGroups{32, 64, 128};

// The faults of libassay_faulty.so in other contracts: groups and norms.

namespace {

struct SglangFloorForCeil : SglangGroup8bitUe8m0 {
  static float scale(float amax) { return simt::from_bits(simt::bits(amax * (1.0f / 448.0f)) & 0x7f800000u); }
};
struct SglangUnmasked : SglangGroup8bitUe8m0 {
  static constexpr bool kWritesPadding = true;  // writes whole int32 values, which this contract does not require
  static float scale(float amax) { return amax * (1.0f / 448.0f); }
};
struct SglangFp32Bits : SglangUnmasked {
  static uint32_t pack(const float* s) { return simt::bits(s[0]); }
};
struct Range224For240 : AiterPer1x128Fnuz {
  static float scale(float amax) { return amax * (1.0f / 224.0f); }
  static float clamp(float v) { return clamp_max_min(v, 224.0f); }
};
/// Rounds only after multiplying by the weight; the contract also rounds before this multiplication.
struct LateRounding : VllmRmsNormV0191 {
  static constexpr bool kRoundsBeforeWeight = false;
};

struct FnuzRange448 : VllmDsv4KvFnuz {
  static constexpr float kMost = 448.0f;
};

template <class Rules>
Kernel of_inserts(const char* name, const char* op) {
  return of_caches<Rules>(op, run_dsv4_kv_insert<Rules>, name, kHere, {"bf16"});
}
template <class Rules>
Kernel of_heads(const char* name) {
  return {name, "qk_norm_rope", {Rules::kContract}, head_accepts(), {}, run_qk_norm_rope<Rules>, name, kHere, "qk_norm_rope"};
}

using OldNorm = VllmRmsNormV0191;

}  // namespace

std::vector<Kernel> elsewhere() {
  return {
      in_registers<SglangFloorForCeil>("floor_elsewhere", kHere),
      in_shared_memory<SglangUnmasked>("unmasked_elsewhere", kHere),
      in_shared_memory<SglangFp32Bits>("fp32_bits_elsewhere", kHere),
      in_registers<Range224For240>("range_elsewhere", kHere),
      in_registers<GroupsMergedAt64<VllmGroupFp8Fnuz>>("merged_elsewhere", kHere, {128}),
      of_tokens<TruncationForNearest<VllmPerToken>>("truncation_elsewhere", kHere),
      in_registers<TransposedScales<VllmGroupFp8>>("transposed_elsewhere", kHere, kGroups, {"col", "tma"}),
      in_registers<ZeroRowNan<AiterPer1x128Fnuz>>("zero_row_elsewhere", kHere, kGroups, {"row", "col"}),
      in_registers<NanLaundering<VllmGroupNative>>("nan_laundering_elsewhere", kHere),
      in_registers<OcpForFnuz<AiterPer1x128Fnuz>>("ocp_elsewhere", kHere, kGroups, {"row", "col"}),
      in_registers<UnguardedReciprocal<DeepgemmPerTokenCast>>("unguarded_elsewhere", kHere),
      in_shared_memory<MissingBarrierInStaging<SglangGroup8bit>>("staging_elsewhere", kHere),
      of_norms<LateRounding>("rounding_elsewhere", kHere),
      of_norms<VarianceIgnored<OldNorm>>("variance_elsewhere", kHere),
      of_norms<EpsOutsideMean<OldNorm>>("eps_elsewhere", kHere),
      of_norms<MissingTail<OldNorm>>("tail_elsewhere", kHere),
      of_norms<MissingBarrier<OldNorm>>("barrier_elsewhere", kHere),
      of_inserts<CacheBlocksDense<VllmDsv4KvFnuz>>("dsv4_blocks_elsewhere", "dsv4_kv_insert"),
      of_inserts<FnuzRange448>("dsv4_range_elsewhere", "dsv4_kv_insert"),
      of_inserts<Dsv4RoundedBeforeWeight<VllmDsv4KvNormFnuz>>("dsv4_rounded_elsewhere", "dsv4_kv_norm_insert"),
      of_heads<PositionsIgnored<VllmQkNormThenRopeInterleaved>>("positions_elsewhere"),
      of_heads<SignOnTheWrongHalf<VllmQkNormThenRopeNeox>>("rotated_back_elsewhere"),
  };
}

// The faults of libassay_faulty.so in other contracts: MXFP8, int8, zero points, blocks, packing and SiLU-and-mul.

namespace {

/// The fault of MxUnguardedReciprocal, in a contract that does not flush scales.
struct MxCuteUnguarded : FlashinferMxfp8Cute {
  static float multiplier(float amax, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : FlashinferMxfp8Cute::multiplier(amax, e);
  }
};
/// The fault of MxNoEmax, in a contract that rounds scales up.
struct MxCeilNoEmax : TorchaoMxCeil {
  static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b >= 0x7f800000u ? 255u : b <= 0x00400000u ? 0u : exponent_ceil(amax);
  }
};
/// The fault of MxNanLaundering, in a contract that rounds scales down.
struct MxFloorNanLaundering : TorchaoMxFloor {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};
/// The fault of Int8NearestForTruncation, in a contract that multiplies by a reciprocal.
struct SglangInt8Nearest : SglangGroupInt8 {
  using Code = Int8Nearest;
};
/// The fault of Int8ZeroGroup, in SGLang's contract.
struct SglangInt8ZeroGroup : SglangGroupInt8 {
  static float amax(float widest) { return widest; }
};
/// The fault of AzpForgotten, in a contract that also defines rows of equal values.
struct AssayAzpForgotten : AssayPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t /*azp*/) { return simt::to_int32_sat(x * m); }
};
/// The fault of BlockRowsForgotten, in a contract whose scales are powers of two.
struct BlockRowsForgottenUe8m0 : DeepgemmPerBlockCastUe8m0 {
  static bool counts(int32_t row) { return row % kBlockSide == 0; }
};
/// The fault of PackAbsentGroups, in a contract that masks each value to a byte.
struct PackTorchAbsentGroups : DeepgemmPackTorch {
  static uint32_t absent() { return 0xffffffffu; }
};

}  // namespace

std::vector<Kernel> quant_elsewhere() {
  return {
      of_mx<MxCuteUnguarded>("mx_unguarded_elsewhere", kHere),
      of_mx<MxCeilNoEmax>("mx_no_emax_elsewhere", kHere),
      of_mx<MxFloorNanLaundering>("mx_nan_laundering_elsewhere", kHere),
      of_mx<TorchaoMxFloor>("mx_unswizzled_elsewhere", kHere, run_mx_misplaced<TorchaoMxFloor, RowMajorBytes>, {"e8m0_128x4"}),
      in_registers<SglangInt8Nearest>("int8_nearest_elsewhere", kHere),
      in_registers<SglangInt8ZeroGroup>("int8_zero_group_elsewhere", kHere),
      of_zero_points<AssayAzpForgotten>("azp_forgotten_elsewhere", kHere),
      of_blocks<BlockRowsForgottenUe8m0>("block_rows_elsewhere", kHere),
      of_packs<PackTorchAbsentGroups>("pack_absent_elsewhere", kHere),
      of_gated_groups<GateUpSwapped<VllmFusedSilu>>("gate_up_elsewhere", kHere),
  };
}

// Two faults of libassay_faulty.so in one kernel.

namespace {

struct Dsv4BothSides : VllmDsv4Both {
  using Heads = Dsv4HeadsRoundedBeforeRope::Heads;
  using Insert = Dsv4FloorForCeil<>;
};

}  // namespace

std::vector<Kernel> two_at_once() {
  return {
      in_registers<TruncationForNearest<FloorForCeil>>("floor_and_truncation", kHere),
      in_shared_memory<TruncationForNearest<UnmaskedPackedMantissas>>("unmasked_and_truncation", kHere),
      in_registers<TruncationForNearest<TransposedScales<>>>("transposed_and_truncation", kHere, kGroups, {"col"}),
      in_registers<TruncationForNearest<ZeroRowNan<>>>("zero_row_and_truncation", kHere),
      in_registers<OcpForFnuz<Range240For224>>("range_and_ocp", kHere),
      in_registers<StalePadding<FloorForCeil>>("floor_and_stale_padding", kHere),
      in_registers<TruncationForNearest<NanLaundering<VllmGroupNative>>>("nan_laundering_and_truncation", kHere),
      of_norms<ExtraRoundingInNorm<EpsOutsideMean<>>>("eps_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<MissingTail<>>>("tail_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<VarianceIgnored<>>>("variance_and_rounding", kHere),
      of_caches<VllmDsv4Kv>("dsv4_kv_insert", run_dsv4_kv_insert<Dsv4Unrotated<Dsv4FloorForCeil<>>>, "dsv4_floor_and_unrotated",
                            kHere),
      of_caches<VllmDsv4Kv>("dsv4_kv_insert", run_dsv4_kv_insert<Dsv4FloorForCeil<Dsv4ScalesApartBy7>>,
                            "dsv4_apart_by_7_and_floor", kHere),
      of_caches<VllmDsv4Both>("dsv4_qnorm_kv_insert", run_dsv4_qnorm_kv_insert<Dsv4BothSides>, "dsv4_rounded_and_floor", kHere),
  };
}

// Mistakes that no mutant describes: the diagnosis must not name a mutant as their cause.

namespace {

struct Gain : VllmRmsNorm20260618 {
  static float factor(float mean, float eps) { return NormRules::factor(mean, eps) * (65.0f / 64.0f); }
};
struct DividedByLess : VllmRmsNorm20260618 {
  static float mean(float sum, float n) { return sum / (n - 1.0f); }
};
/// Reverses each four codes.
struct CodesInReverse : VllmGroupFp8 {
  struct Code : VllmGroupFp8::Code {
    static uint32_t encode4(const float* v) { return __builtin_bswap32(VllmGroupFp8::Code::encode4(v)); }
  };
};
/// Reverses the four bytes of each packed scale word.
struct WordsInReverse : VllmGroupFp8Packed {
  static uint32_t pack(const float* s) { return __builtin_bswap32(VllmGroupFp8Packed::pack(s)); }
};
/// Makes each scale 8 to 16 ulp too large.
struct ScaleOff : VllmGroupFp8 {
  static float scale(float amax) { return VllmGroupFp8::scale(amax) * (1.0f + 0x1p-19f); }
};

}  // namespace

std::vector<Kernel> outside() {
  return {
      of_norms<Gain>("gain", kHere),
      of_norms<DividedByLess>("divided_by_less", kHere),
      in_registers<CodesInReverse>("codes_in_reverse", kHere),
      in_shared_memory<WordsInReverse>("words_in_reverse", kHere),
      in_registers<ScaleOff>("scale_off", kHere),
  };
}

// Correct kernels whose results differ within their accepted intervals.

namespace {

/// Moves a positive finite v by some ulps. Negative values, 0, Inf and NaN stay unchanged.
float nudged(float v, int ulps) { return v > 0.0f && v < 1e38f ? simt::from_bits(simt::bits(v) + uint32_t(ulps)) : v; }

/// Moves the result of rsqrt by up to 2 ulp, which the contract accepts.
template <class Base, int kUlps>
struct RsqrtOff : Base {
  static float factor(float mean, float eps) { return nudged(Base::factor(mean, eps), kUlps); }
};
/// Moves the sum by an ulp, as another reduction tree of the same depth may do.
template <class Base>
struct SumOff : Base {
  static float mean(float sum, float n) { return Base::mean(nudged(sum, 1), n); }
};
/// Multiplies by the reciprocal instead of dividing; the contract accepts 2 ulp of error.
struct TritonByReciprocal : VllmGroupTriton {
  using Element = simt::Multiply;
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};
struct SglangOperandOff : SglangGroup8bit {
  static float operand(float amax, float scale) { return nudged(SglangGroup8bit::operand(amax, scale), 1); }
};

template <class Rules>
Kernel healthy_norm(const char* name) {
  Kernel kernel = of_norms<Rules>("", "");
  kernel.name = name;
  kernel.twin = "";
  return kernel;
}
template <class Rules>
Kernel healthy_group(const char* name) {
  Kernel kernel = in_registers<Rules>("", "");
  kernel.name = name;
  kernel.twin = "";
  return kernel;
}

using NewNorm = VllmRmsNorm20260618;
using OldNorm = VllmRmsNormV0191;

}  // namespace

std::vector<Kernel> healthy() {
  return {
      healthy_norm<RsqrtOff<NewNorm, 2>>("rsqrt_above"), healthy_norm<RsqrtOff<OldNorm, -1>>("rsqrt_below"),
      healthy_norm<SumOff<NewNorm>>("another_tree"),     healthy_group<TritonByReciprocal>("division_by_reciprocal"),
      healthy_group<SglangOperandOff>("operand_above"),
  };
}

std::vector<Kernel> all_kernels() {
  return assay::plugin::joined({elsewhere(), quant_elsewhere(), two_at_once(), outside(), healthy()});
}

}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_varied", "cpu",
        "kernels that run on the CPU, with warps of 32 or 64 lanes: some with faults in other contracts, some with two faults, some correct", "", "", true},
       assay_kernels::all_kernels()});
}
