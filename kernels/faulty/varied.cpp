// libassay_varied.so: what the diagnosis is measured on. The mistakes of libassay_faulty.so in other contracts, two of them at
// once, mistakes that no hypothesis describes, and healthy kernels that take the freedom which their contracts leave.
// suites/catches/diagnosis.csv says what is to be found.
#include <cmath>

#include "kernels/cpu/host_library.h"
#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/offers.h"
#include "kernels/faulty/varied_quant.h"

namespace {

using namespace assay_kernels;

// ---- the same mistakes where the line reads otherwise

struct SglangFloorForCeil : SglangGroup8bitUe8m0 {
  static float scale(float amax) { return simt::from_bits(simt::bits(amax * (1.0f / 448.0f)) & 0x7f800000u); }
};
struct SglangUnmasked : SglangGroup8bitUe8m0 {
  static constexpr bool kWritesPadding = true;  // whole words, which this contract does not want
  static float scale(float amax) { return amax * (1.0f / 448.0f); }
};
struct SglangFp32Bits : SglangUnmasked {
  static uint32_t pack(const float* s) { return simt::bits(s[0]); }
};
struct Range224For240 : AiterPer1x128Fnuz {
  static float scale(float amax) { return amax * (1.0f / 224.0f); }
  static float clamp(float v) { return clamp_max_min(v, 224.0f); }
};
struct LateRounding : VllmRmsNormV0191 {
  static constexpr bool kRoundsBeforeWeight = false;
};

// ---- mistakes that are no edit of a contract

struct Gain : VllmRmsNorm20260618 {
  static float factor(float mean, float eps) { return NormRules::factor(mean, eps) * (65.0f / 64.0f); }
};
struct DividedByLess : VllmRmsNorm20260618 {
  static float mean(float sum, float n) { return sum / (n - 1.0f); }
};
struct CodesInReverse : VllmGroupFp8 {
  struct Code : VllmGroupFp8::Code {
    static uint32_t encode4(const float* v) { return __builtin_bswap32(VllmGroupFp8::Code::encode4(v)); }
  };
};
struct WordsInReverse : VllmGroupFp8Packed {
  static uint32_t pack(const float* s) { return __builtin_bswap32(VllmGroupFp8Packed::pack(s)); }
};
struct ScaleOff : VllmGroupFp8 {
  static float scale(float amax) { return VllmGroupFp8::scale(amax) * (1.0f + 0x1p-19f); }
};

// ---- healthy

/// 0, Inf and NaN are exact.
float nudged(float v, int ulps) { return v > 0.0f && v < 1e38f ? simt::from_bits(simt::bits(v) + uint32_t(ulps)) : v; }

/// rsqrt may be off by 2 ulp.
template <class Base, int kUlps>
struct RsqrtOff : Base {
  static float factor(float mean, float eps) { return nudged(Base::factor(mean, eps), kUlps); }
};
/// Another tree of the same depth ends an ulp beside.
template <class Base>
struct SumOff : Base {
  static float mean(float sum, float n) { return Base::mean(nudged(sum, 1), n); }
};
/// A division that may be off by 2 ulp as a product with the reciprocal.
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

constexpr const char* kGroups = "[32, 64, 128]";
constexpr const char* kHere = "suites/catches/diagnosis.csv";
using NewNorm = VllmRmsNorm20260618;
using OldNorm = VllmRmsNormV0191;

std::vector<Kernel> elsewhere() {
  return {
      in_registers<SglangFloorForCeil>("floor_elsewhere", kHere),
      in_shared_memory<SglangUnmasked>("unmasked_elsewhere", kHere),
      in_shared_memory<SglangFp32Bits>("fp32_bits_elsewhere", kHere),
      in_registers<Range224For240>("range_elsewhere", kHere),
      in_registers<GroupsMergedAt64<VllmGroupFp8Fnuz>>("merged_elsewhere", kHere, "[128]"),
      of_tokens<TruncationForNearest<VllmPerToken>>("truncation_elsewhere", kHere),
      in_registers<TransposedScales<VllmGroupFp8>>("transposed_elsewhere", kHere, kGroups, R"(["col", "tma"])"),
      in_registers<ZeroRowNan<AiterPer1x128Fnuz>>("zero_row_elsewhere", kHere, kGroups, R"(["row", "col"])"),
      in_registers<NanLaundering<VllmGroupNative>>("nan_laundering_elsewhere", kHere),
      in_registers<OcpForFnuz<AiterPer1x128Fnuz>>("ocp_elsewhere", kHere, kGroups, R"(["row", "col"])"),
      in_registers<UnguardedReciprocal<DeepgemmPerTokenCast>>("unguarded_elsewhere", kHere),
      in_shared_memory<MissingBarrierInStaging<SglangGroup8bit>>("staging_elsewhere", kHere),
      of_norms<LateRounding>("rounding_elsewhere", kHere),
      of_norms<VarianceIgnored<OldNorm>>("variance_elsewhere", kHere),
      of_norms<EpsOutsideMean<OldNorm>>("eps_elsewhere", kHere),
      of_norms<MissingTail<OldNorm>>("tail_elsewhere", kHere),
      of_norms<MissingBarrier<OldNorm>>("barrier_elsewhere", kHere),
  };
}

std::vector<Kernel> two_at_once() {
  return {
      in_registers<TruncationForNearest<FloorForCeil>>("floor_and_truncation", kHere),
      in_shared_memory<TruncationForNearest<UnmaskedPackedMantissas>>("unmasked_and_truncation", kHere),
      in_registers<TruncationForNearest<TransposedScales<>>>("transposed_and_truncation", kHere, kGroups, R"(["col"])"),
      in_registers<TruncationForNearest<ZeroRowNan<>>>("zero_row_and_truncation", kHere),
      in_registers<OcpForFnuz<Range240For224>>("range_and_ocp", kHere),
      in_registers<StalePadding<FloorForCeil>>("floor_and_stale_padding", kHere),
      in_registers<TruncationForNearest<NanLaundering<VllmGroupNative>>>("nan_laundering_and_truncation", kHere),
      of_norms<ExtraRoundingInNorm<EpsOutsideMean<>>>("eps_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<MissingTail<>>>("tail_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<VarianceIgnored<>>>("variance_and_rounding", kHere),
  };
}

std::vector<Kernel> outside() {
  return {
      of_norms<Gain>("gain", kHere),
      of_norms<DividedByLess>("divided_by_less", kHere),
      in_registers<CodesInReverse>("codes_in_reverse", kHere),
      in_shared_memory<WordsInReverse>("words_in_reverse", kHere),
      in_registers<ScaleOff>("scale_off", kHere),
  };
}

std::vector<Kernel> healthy() {
  return {
      healthy_norm<RsqrtOff<NewNorm, 2>>("rsqrt_above"), healthy_norm<RsqrtOff<OldNorm, -1>>("rsqrt_below"),
      healthy_norm<SumOff<NewNorm>>("another_tree"),     healthy_group<TritonByReciprocal>("division_by_reciprocal"),
      healthy_group<SglangOperandOff>("operand_above"),
  };
}

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> all = [] {
    std::vector<Kernel> list = elsewhere();
    for (Kernel& kernel : quant_elsewhere(kHere)) list.push_back(std::move(kernel));
    for (Kernel& kernel : two_at_once()) list.push_back(std::move(kernel));
    for (Kernel& kernel : outside()) list.push_back(std::move(kernel));
    for (Kernel& kernel : healthy()) list.push_back(std::move(kernel));
    return list;
  }();
  return all;
}

const char* describe() {
  static const std::string text = assay_kernels::describe(
      {"assay_varied", "cpu", "SIMT on fibers, 32 or 64 lanes; faults elsewhere, two at once, and healthy", "", ""}, kernels());
  return text.c_str();
}

assay_status run(const assay_call* call) { return assay_kernels::run(kernels(), call); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library = assay_kernels::host_library(describe, run);
  return &library;
}
