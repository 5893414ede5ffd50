// Rotated heads gone wrong: the kernels of rope_faults.h with the regressions they are.
#include "kernels/faulty/rope_faults.h"

#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_heads(const char* name, const char* cites) {
  return {name, "qk_norm_rope", {Rules::kContract}, head_accepts(), {}, run_qk_norm_rope<Rules>, name, cites, "qk_norm_rope"};
}

template <class Rules>
Kernel of_q_heads(const char* name, const char* cites) {
  return {name, "q_norm_rope", {Rules::kContract}, head_accepts(), {}, run_q_norm_rope<Rules>, name, cites, "q_norm_rope"};
}

}  // namespace

std::vector<Kernel> rope_faults() {
  return {
      of_heads<DivergentShuffle>("rope_divergent_shuffle", "vLLM #51049, vLLM #50903, vLLM #57681"),
      of_heads<HeadsAfterTheFirst>("rope_heads_after_the_first", "vLLM #51049: a warp of several heads, from 10240 token-heads on"),
      of_heads<HalfAHeadApart>("rope_half_a_head_apart", "no regression known; rotary_dim taken for the head's"),
      of_heads<SignOnTheWrongHalf<>>("rope_sign_on_wrong_half",
                                     "no regression known; the inverse rotation of pos_encoding_kernels.cu 1051220e"),
      of_heads<InterleavedForNeox>("rope_interleaved_for_neox", "no regression known; is_neox the wrong way round"),
      of_heads<NeoxForInterleaved>("rope_neox_for_interleaved", "no regression known; is_neox the wrong way round"),
      of_heads<PositionOffByOne>("rope_position_off_by_one", "no regression known; positions counted from one"),
      of_heads<PositionsIgnored<>>("rope_positions_ignored", "no regression known; right for one sequence from its beginning"),
      of_heads<CacheRowsInterleaved>("rope_cache_interleaved", "no regression known; pairs of cosine and sine in the cache"),
      of_heads<RoundedBeforeRope>("rope_rounded_before", "vLLM #42325, there in a norm before its quantization"),
      of_heads<NotRoundedBeforeRope>("rope_not_rounded_before",
                                     "vLLM test_fused_deepseek_v4: its reference rounds and the kernel does not"),
      of_heads<KWeightForQ>("rope_k_weight_for_q", "no regression known; one weight for both"),
      of_heads<VRotatedToo>("rope_v_overwritten", "no regression known; every head of qkv is rotated"),
      of_q_heads<PaddedHeadsStale>("rope_padded_heads_stale", "vLLM #49784, there in padding of scales"),
      of_q_heads<FirstForLast>("rope_first_for_last",
                               "no regression known; rope_dim_offset of pos_encoding_kernels.cu 1051220e left out"),
  };
}

}  // namespace assay_kernels
