// Faulty kernels of moe_combine and moe_sort. Each has one mistake: in a rounding, in a weight, in the choice of the slots that are added, or in the position
// of a slot in the sorted list.
#include "kernels/ops/moe_combine/moe_combine_kernel.h"
#include "kernels/ops/moe_combine/moe_sort_kernel.h"

namespace assay_kernels {

// Mistakes in the choice of slots.

struct CombineLastSlotLost : VllmMoeSum {
  SIMT_DEVICE static int64_t end_slot(const CombineArguments& a) { return a.topk > 1 ? a.topk - 1 : 1; }
};

/// Also adds the rows of padding, and of experts on other ranks.
struct CombineSkippedAdded : VllmMoeSumPadAware {
  static constexpr bool kIds = false;
};

struct CombineMapIgnored : VllmEpGather {
  static constexpr bool kMap = false;
};

/// Reads an index tensor [m, topk] as if it were [topk, m].
struct CombineIndexTransposed : VllmEpGather {
  template <class Rules>
  SIMT_DEVICE static int64_t place_of_row(const CombineArguments& a, int64_t token, int64_t slot) {
    return slot * a.m + token;
  }
};

/// Writes zeros for tokens without a slot; the contract leaves these rows of y unchanged.
struct CombineUnroutedWritten : VllmFusedMulSum {
  static constexpr bool kKeepsUnrouted = false;
};

/// Leaves the rows of tokens without a slot unchanged; the contract writes zeros.
struct CombineUnroutedLeft : VllmMoeSumPadAware {
  static constexpr bool kKeepsUnrouted = true;
};

// Faults in the choice of the weight, and in roundings.

/// Rounds the sum to type T after each addition.
struct CombineSumInType : VllmMoeSum {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float) {
    return narrowed<T>(sum + v);
  }
};

/// Rounds each weighted row to type T before adding it.
struct CombineWeightBehindCast : VllmFusedMulSum {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return sum + narrowed<T>(v * weight);
  }
};

/// Rounds the weights to type T.
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

// Blocks of slots, sorted by expert.

/// Uses one block too many for an expert whose slots fill its blocks exactly.
struct AlignBlockMore : VllmMoeAlignV0260 {
  SIMT_DEVICE static int32_t blocks_for(const SortArguments& a, int32_t rows) { return rows == 0 ? 0 : int32_t(rows / a.block_size + 1); }
};
/// Fills unused entries of sorted_ids with -1.
struct AlignPadsMinusOne : VllmMoeAlignV0260 {
  SIMT_DEVICE static int32_t pad(const SortArguments&) { return -1; }
};
/// Leaves entries of sorted_ids that belong to no slot unwritten.
struct AlignPadsLeft : VllmMoeAlignV0260 {
  static constexpr bool kPads = false;
};
struct AlignTailLeft : VllmMoeAlignV0260 {
  static constexpr bool kTail = false;
};
struct AlignMapIgnored : VllmMoeAlignV0260 {
  template <class Rules>
  SIMT_DEVICE static int32_t bucket_of(const SortArguments& a, int64_t slot) {
    return is_expert(a, a.ids[slot]) ? a.ids[slot] : -1;
  }
};
/// Sorts slots with id < 0 or id >= experts to expert 0.
struct AlignAbsentIsZero : VllmMoeAlignV0260 {
  template <class Rules>
  SIMT_DEVICE static int32_t bucket_of(const SortArguments& a, int64_t slot) {
    return is_expert(a, a.ids[slot]) ? VllmMoeAlignV0260::bucket_of<VllmMoeAlignV0260>(a, slot) : 0;
  }
};
/// Writes bucket numbers in place of expert numbers. Bucket 0 holds the slots without an expert, so numbers are one too large.
struct AlignNumbersOfBuckets : SglangMoeAlign {
  template <class Rules>
  SIMT_DEVICE static int32_t number(const SortArguments&, int32_t expert) {
    return expert + 1;
  }
};
/// Writes token numbers in place of slot numbers.
struct AlignTokens : SglangMoeAlign {
  SIMT_DEVICE static int32_t entry(const SortArguments& a, int64_t slot) { return int32_t(slot / a.topk); }
};
/// Counts only the slots, not the padding of their blocks.
struct AlignTotalOfSlots : AiterMoeAlign {
  SIMT_DEVICE static int32_t total(const SortArguments&, int32_t /*blocks*/, int32_t rows) { return rows; }
};
struct AlignCountsOfBlocks : AiterMoeAlign {
  SIMT_DEVICE static int32_t rest(const SortArguments& a, int32_t rows) { return rows < a.block_size ? rows : int32_t(a.block_size); }
};

// Copies of rows: into the order of experts, and into an order that an index tensor states.

/// Copies row slot % m of x for a slot; the contract copies row slot / topk.
struct PermuteRowsOfSlotModM : VllmMoePermuteV0300 {
  SIMT_DEVICE static int64_t source(int64_t slot, int64_t /*topk*/, int64_t sources) { return slot % sources; }
};
/// Writes the number of rows of each expert in place of its offset.
struct PermuteOffsetsAreSizes : VllmMoePermuteV0300 {
  SIMT_DEVICE static int32_t offset(const int32_t* first, int32_t expert, bool last) {
    return last ? first[expert] : first[expert + 1] - first[expert];
  }
};
/// Also writes the rows of experts on other ranks.
struct PermuteElsewhereWritten : VllmMoePermuteV0300 {
  SIMT_DEVICE static bool writes(const MoveArguments&, int32_t) { return true; }
};
struct PermuteMapIgnored : VllmMoePermuteV0300 {
  template <class Rules>
  SIMT_DEVICE static int32_t key_of(const SortArguments& a, int64_t slot) {
    const int32_t id = a.ids[slot];
    return id < 0 || id >= a.experts ? int32_t(a.experts) : id;
  }
};
struct ShuffleRowsNext : VllmShuffleRows {
  SIMT_DEVICE static int64_t source(const MoveArguments& a, int64_t row) { return (row + 1) % a.sources; }
};
/// Copies row 0 of x if the index names no row of x.
struct ShuffleRowsOutsideIsFirst : VllmShuffleRowsV0290 {
  SIMT_DEVICE static bool inside(const MoveArguments& a, int64_t) { return a.sources > 0; }
  SIMT_DEVICE static int64_t source(const MoveArguments& a, int64_t row) { return VllmShuffleRowsV0290::inside(a, row) ? row : 0; }
};

// FlashInfer's finalize step.

/// Keeps the sum in fp32 and rounds it at the end, as finalizeMoeRouting does; the contract rounds after each addition.
struct FinalizeSumInF32 : FlashinferMoeFinalize {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return sum + narrowed<T>(v * weight);
  }
};

/// Multiplies the shared expert's row by the routed scaling factor, too.
struct FinalizeFactorOnShared : FlashinferMoeFinalize {
  template <class T>
  SIMT_DEVICE static float with_shared(float sum, float factor, float shared) {
    return narrowed<T>(sum + shared) * factor;
  }
};

/// Adds row 0 for a slot that has no row.
struct FinalizeAbsentIsFirst : FlashinferMoeFinalize {
  SIMT_DEVICE static int64_t absent_row() { return 0; }
};

namespace {

template <class Rules>
Kernel of_sort(const char* name, void (*run)(const Call&), const char* twin, const char* cites) {
  return {name, "moe_sort", {Rules::kContract}, {{"warp", simt::kWarpSizes}}, {}, run, name, cites, twin};
}

template <class Rules>
Kernel of_combine(const char* name, const char* twin, const char* cites) {
  return {name,  "moe_combine", {Rules::kContract}, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_moe_combine<Rules>, name,
          cites, twin};
}

}  // namespace

std::vector<Kernel> combine_faults() {
  const char *sum = "moe_combine.sum", *weighted = "moe_combine.weighted_sum", *gather = "moe_combine.gather",
             *blocks = "moe_sort.blocks", *rows = "moe_sort.rows", *order = "moe_sort.given_order";
  return {
      of_combine<CombineLastSlotLost>("combine_last_slot_lost", sum, "invented fault: this kernel leaves out each token's last slot, because its loop ends one "
                                                                     "slot early"),
      of_combine<CombineSkippedAdded>("combine_skipped_added", sum, "vLLM #48385 fixes a sum that includes padding rows; this kernel adds them"),
      of_combine<CombineMapIgnored>("combine_map_ignored", gather, "vLLM #51632: the expert map decides which ids are valid; this kernel does not read the "
                                                                   "map"),
      of_combine<CombineIndexTransposed>("combine_index_transposed", gather,
                                         "vLLM v0.10.0 stores the index as [topk, m], v0.11.0 as [m, topk]; this kernel reads [m, topk] as [topk, m]"),
      of_combine<CombineUnroutedWritten>("combine_unrouted_written", weighted,
                                         "vLLM moe_fused_mul_sum.py v0.28.0 writes the rows of tokens without a slot; the contract leaves these rows "
                                         "unchanged"),
      of_combine<CombineUnroutedLeft>("combine_unrouted_left", sum,
                                      "vLLM moe_fused_mul_sum.py v0.29.0 leaves the rows of tokens without a slot unchanged; the contract writes zeros"),
      of_combine<CombineSumInType>("combine_sum_in_type", sum, "vLLM #15045: moe_sum adds in bf16; this kernel rounds the sum to the type of x after each "
                                                               "addition"),
      of_combine<CombineWeightBehindCast>("combine_weight_behind_cast", weighted,
                                          "vLLM #31962 is about multiplying by the router weight before or after a rounding; this kernel rounds weighted rows "
                                          "before it adds them"),
      of_combine<CombineWeightInType>("combine_weight_in_type", gather,
                                      "sglang ep_moe_kernels.py v0.5.23 casts the router weights to the type of the rows; the contract does not"),
      of_combine<CombineNextWeight>("combine_next_weight", weighted, "invented fault: this kernel multiplies each slot by the router weight of the next slot"),
      of_combine<FinalizeSumInF32>("finalize_sum_in_f32", "moe_combine.finalize",
                                   "flashinfer cutlass_fused_moe_kernels.cuh v0.7.2.post1: finalizeMoeRoutingKernel adds in fp32; the "
                                   "contract rounds after each addition"),
      of_combine<FinalizeFactorOnShared>("finalize_factor_on_shared", "moe_combine.finalize",
                                         "flashinfer 2966 is about where the routed scaling factor is applied; this kernel also applies it to the shared "
                                         "expert"),
      of_combine<FinalizeAbsentIsFirst>("finalize_absent_is_first", "moe_combine.finalize",
                                        "invented fault: this kernel adds row 0 for a slot with row index -1, which it should skip"),
      of_combine<CombineFactorTwice>("combine_factor_twice", sum,
                                     "invented fault: this kernel multiplies the sum by the routed scaling factor twice"),
      of_sort<AlignBlockMore>("align_block_more", run_moe_align<AlignBlockMore>, blocks,
                              "invented fault: this kernel gives an expert rows / block size + 1 blocks, which is one too many if its rows fill all blocks"),
      of_sort<AlignPadsMinusOne>("align_pads_minus_one", run_moe_align<AlignPadsMinusOne>, blocks,
                                 "invented fault: this kernel writes padding entries of sorted_ids as -1, but the GEMM expects the number of slots there"),
      of_sort<AlignPadsLeft>("align_pads_left", run_moe_align<AlignPadsLeft>, blocks,
                             "sglang moe_align_kernel.cu leaves padding entries of sorted_ids unwritten if pad_sorted_token_ids is false; this kernel always "
                             "leaves them unwritten"),
      of_sort<AlignTailLeft>("align_tail_left", run_moe_align<AlignTailLeft>, blocks,
                             "sglang moe_align_kernel.cu leaves the expert ids of unused blocks unwritten if pad_expert_ids is false; this kernel always "
                             "leaves them unwritten"),
      of_sort<AlignMapIgnored>("align_map_ignored", run_moe_align<AlignMapIgnored>, blocks,
                               "vLLM moe_align_sum_kernels.cu v0.12.0 has no expert_map; this kernel ignores the map"),
      of_sort<AlignAbsentIsZero>("align_absent_is_zero", run_moe_align<AlignAbsentIsZero>, blocks,
                                 "vLLM moe_align_sum_kernels.cu v0.25.0 does not recognize id -1; this kernel sorts such slots to expert 0"),
      of_sort<AlignNumbersOfBuckets>("align_numbers_of_buckets", run_moe_align<AlignNumbersOfBuckets>, blocks,
                                     "invented fault: this kernel numbers experts from 1, because it counts the bucket for id -1"),
      of_sort<AlignTokens>("align_tokens", run_moe_align<AlignTokens>, blocks, "invented fault: this kernel writes token numbers instead of slot numbers"),
      of_sort<AlignTotalOfSlots>("align_total_of_slots", run_moe_align<AlignTotalOfSlots>, blocks,
                                 "invented fault: this kernel's total counts only the slots, without the padding of blocks"),
      of_sort<AlignCountsOfBlocks>("align_counts_of_blocks", run_moe_align<AlignCountsOfBlocks>, blocks,
                                   "invented fault: this kernel writes how many slots a block holds instead of how many slots of the expert remain"),
      of_sort<PermuteRowsOfSlotModM>("permute_rows_of_slot_mod_m", run_moe_permute<PermuteRowsOfSlotModM>, rows,
                                     "vLLM v0.10.0 expandInputRowsKernel numbers slots as [topk, m]; the contract numbers them as [m, topk]"),
      of_sort<PermuteOffsetsAreSizes>("permute_offsets_are_sizes", run_moe_permute<PermuteOffsetsAreSizes>, rows,
                                      "invented fault: this kernel writes the number of rows of each expert instead of its offset"),
      of_sort<PermuteElsewhereWritten>("permute_elsewhere_written", run_moe_permute<PermuteElsewhereWritten>, rows,
                                       "invented fault: this kernel also writes the rows of experts on other ranks"),
      of_sort<PermuteMapIgnored>("permute_map_ignored", run_moe_permute<PermuteMapIgnored>, rows, "invented fault: this kernel does not read the map from "
                                                                                                  "global to local expert numbers"),
      of_sort<ShuffleRowsNext>("shuffle_rows_next", run_shuffle_rows<ShuffleRowsNext>, order, "invented fault: this kernel copies the row after the one that "
                                                                                              "the index names"),
      of_sort<ShuffleRowsOutsideIsFirst>("shuffle_rows_outside_is_first", run_shuffle_rows<ShuffleRowsOutsideIsFirst>, order,
                                         "invented fault: this kernel copies row 0 of x if the index names no row of x"),
  };
}

}  // namespace assay_kernels
