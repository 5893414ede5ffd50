// The norms of DeepSeek-V4's caches gone wrong: the kernels of dsv4_norm_faults.h with the regressions they are.
#include "kernels/faulty/dsv4_norm_faults.h"

#include "kernels/faulty/offers/cache.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_kv(const char* name, const char* cites) {
  return of_caches<Rules>("dsv4_kv_norm_insert", run_dsv4_kv_insert<Rules>, name, cites);
}

template <class Rules>
Kernel of_both(const char* name, const char* cites) {
  return of_caches<Rules>("dsv4_qnorm_kv_insert", run_dsv4_qnorm_kv_insert<Rules>, name, cites);
}

}  // namespace

std::vector<Kernel> dsv4_norm_faults() {
  return {
      of_kv<Dsv4VarianceIgnored>("dsv4_variance_ignored",
                                 "vLLM test_layernorm.py: a kernel that ignores the variance passes for H >= 5120"),
      of_kv<Dsv4EpsOutside>("dsv4_eps_outside", "coremltools #2822, there eps in another place"),
      of_kv<Dsv4RoundedBeforeWeight<>>("dsv4_rounded_before_weight", "vLLM #42325, vLLM #46070"),
      of_kv<Dsv4WeightLeftOut>("dsv4_weight_left_out", "no regression known; the norm of Q, which has no weight, for KV"),
      of_kv<Dsv4RowsDense>("dsv4_rows_dense", "vLLM #26192, vLLM #28103: a stride taken for granted"),
      of_both<Dsv4NoHeadsWithoutSlot>("dsv4_no_heads_without_slot", "vLLM 00ce99f0: slot -1 returns from the KV branch alone"),
      of_both<Dsv4HeadsEndWithSlots>("dsv4_heads_end_with_slots",
                                     "vLLM 00ce99f0: slot_mapping may be shorter than q with DP padding"),
      of_both<Dsv4HeadsRoundedBeforeRope>("dsv4_heads_rounded_before",
                                          "vLLM test_fused_deepseek_v4: its reference rounds and the kernel does not"),
      of_both<Dsv4HeadsStale>("dsv4_heads_stale", "vLLM #49784, there in padding of scales"),
      of_both<Dsv4BothPositionsIgnored>("dsv4_both_positions_ignored",
                                        "no regression known; right for one sequence from its beginning"),
      of_both<Dsv4BothKvUnrotated>("dsv4_both_kv_unrotated", "1Cat-vLLM #162: two overlapping stores to dims 448-511"),
  };
}

}  // namespace assay_kernels
