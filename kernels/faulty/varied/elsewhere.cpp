// The mistakes of libassay_faulty.so in other contracts than there: groups and norms.
#include "kernels/faulty/cache_faults.h"
#include "kernels/faulty/dsv4_norm_faults.h"
#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/offers/cache.h"
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/norm.h"
#include "kernels/faulty/varied/here.h"

namespace assay_kernels {
namespace {

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

}  // namespace assay_kernels
