// Faulty kernels of moe_combine: the correct kernel's rules with one mistake about a rounding, a weight, or the slots that are
// added.
#include "kernels/ops/moe_combine/moe_combine_kernel.h"

namespace assay_kernels {

// Which slots.

struct CombineLastSlotLost : VllmMoeSum {
  SIMT_DEVICE static int64_t end_slot(const CombineArguments& a) { return a.topk > 1 ? a.topk - 1 : 1; }
};

/// Adds the rows of padding and of experts elsewhere.
struct CombineSkippedAdded : VllmMoeSumPadAware {
  static constexpr bool kIds = false;
};

struct CombineMapIgnored : VllmEpGather {
  static constexpr bool kMap = false;
};

/// Reads an index [m, topk] as [topk, m].
struct CombineIndexTransposed : VllmEpGather {
  template <class Rules>
  SIMT_DEVICE static int64_t place_of_row(const CombineArguments& a, int64_t token, int64_t slot) {
    return slot * a.m + token;
  }
};

/// Writes zeros for tokens that the contract leaves alone.
struct CombineUnroutedWritten : VllmFusedMulSum {
  static constexpr bool kKeepsUnrouted = false;
};

/// Leaves tokens alone that the contract sets to zero.
struct CombineUnroutedLeft : VllmMoeSumPadAware {
  static constexpr bool kKeepsUnrouted = true;
};

// Which weight, and what is rounded.

struct CombineSumInType : VllmMoeSum {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float) {
    return narrowed<T>(sum + v);
  }
};

struct CombineWeightBehindCast : VllmFusedMulSum {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return sum + narrowed<T>(v * weight);
  }
};

struct CombineWeightInType : VllmMoeUnpermute {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return sum + v * narrowed<T>(weight);
  }
};

struct CombineNextWeight : VllmWeightAndReduce {
  SIMT_DEVICE static int64_t place_of_weight(const CombineArguments& a, int64_t token, int64_t slot) {
    return token * a.topk + (slot + 1) % a.topk;
  }
};

struct CombineFactorTwice : SglangMoeSumReduce {
  SIMT_DEVICE static float scaled(float sum, float factor) { return sum * factor * factor; }
};

namespace {

template <class Rules>
Kernel of_combine(const char* name, const char* twin, const char* cites) {
  return {name,  "moe_combine", {Rules::kContract}, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_moe_combine<Rules>, name,
          cites, twin};
}

}  // namespace

std::vector<Kernel> combine_faults() {
  const char *sum = "moe_combine.sum", *weighted = "moe_combine.weighted_sum", *gather = "moe_combine.gather";
  return {
      of_combine<CombineLastSlotLost>("combine_last_slot_lost", sum, "no regression known; a loop that ends one slot early"),
      of_combine<CombineSkippedAdded>("combine_skipped_added", sum, "vLLM #48385: before it, the sum covers rows of padding"),
      of_combine<CombineMapIgnored>("combine_map_ignored", gather, "vLLM #51632: the expert map decides which ids are valid"),
      of_combine<CombineIndexTransposed>("combine_index_transposed", gather,
                                         "vLLM v0.10.0 where v0.11.0 is stated: the index is [topk, m]"),
      of_combine<CombineUnroutedWritten>("combine_unrouted_written", weighted,
                                         "vLLM moe_fused_mul_sum.py v0.28.0, which writes every row"),
      of_combine<CombineUnroutedLeft>("combine_unrouted_left", sum,
                                      "vLLM moe_fused_mul_sum.py v0.29.0, which leaves such rows alone"),
      of_combine<CombineSumInType>("combine_sum_in_type", sum, "vLLM #15045: moe_sum adds in bf16"),
      of_combine<CombineWeightBehindCast>("combine_weight_behind_cast", weighted,
                                          "vLLM #31962: the router weight behind a rounding to bf16"),
      of_combine<CombineWeightInType>("combine_weight_in_type", gather,
                                      "sglang ep_moe_kernels.py v0.5.23: weights are cast to the type of the rows"),
      of_combine<CombineNextWeight>("combine_next_weight", weighted, "no regression known; an index that is one too large"),
      of_combine<CombineFactorTwice>("combine_factor_twice", sum,
                                     "no regression known; the factor in the weights and on the sum"),
  };
}

}  // namespace assay_kernels
