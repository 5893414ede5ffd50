// Faulty kernels of gemm_grouped and fused_moe. Each has one mistake: in the expert of a tile of rows, in the address of scales, or in the rows that are in
// use. In fused_moe it may also be in the router weight or the bias.
#include "kernels/ops/gemm/gemm_grouped_kernel.h"

namespace assay_kernels {

// Mistakes in the expert.

/// Always uses the weights of expert 0, with the scales of the right expert.
template <class Right>
struct GroupedFirstExpert : Right {
  SIMT_DEVICE static int64_t expert_of_weights(const GroupedGemmArguments&, int64_t) { return 0; }
};

/// Uses the weight scales of the next expert, with the weights of the right expert.
template <class Right>
struct GroupedNextScales : Right {
  SIMT_DEVICE static int64_t expert_of_scales(const GroupedGemmArguments& x, int64_t expert) { return (expert + 1) % x.experts; }
};

/// Uses the expert of the row before a tile's first row.
struct GroupedBoundary : DeepGemmContiguous {
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) {
    if (x.groups[row] < 0) return -1;
    const int64_t expert = x.groups[row > 0 ? row - 1 : 0];
    return expert < 0 ? 0 : expert;
  }
};

/// Number of experts before `expert` that have rows. A kernel that numbers only these uses the weights of an earlier expert.
SIMT_DEVICE int64_t experts_with_rows_before(const GroupedGemmArguments& x, int64_t expert) {
  int64_t count = 0;
  for (int64_t other = 0; other < expert; ++other) {
    bool any = x.room > 0 && x.groups[other] > 0;
    for (int64_t row = 0; row < x.m && x.room == 0 && !any; ++row) any = x.groups[row] == other;
    count += any;
  }
  return count;
}
template <class Right>
struct GroupedEmptySkipped : Right {
  SIMT_DEVICE static int64_t expert_of_weights(const GroupedGemmArguments& x, int64_t expert) {
    return experts_with_rows_before(x, expert);
  }
  SIMT_DEVICE static int64_t expert_of_scales(const GroupedGemmArguments& x, int64_t expert) {
    return experts_with_rows_before(x, expert);
  }
};

// Mistakes in the rows that are in use.

/// Reads the number of rows of an expert as the end of its rows, as if the tensor had the psum layout.
struct GroupedSizesAsOffsets : DeepGemmMasked {
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) {
    const int64_t expert = row / x.room, first = expert > 0 ? x.groups[expert - 1] : 0;
    return row % x.room < x.groups[expert] - first ? expert : -1;
  }
};

/// Computes all rows of an expert, including those not in use.
struct GroupedMaskIgnored : DeepGemmMasked {
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) { return row / x.room; }
};

/// Packed scales: computes all rows of an expert, including those not in use.
struct GroupedMaskIgnoredPacked : DeepGemmMaskedPacked {
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) { return row / x.room; }
};

/// Adds 0 times the scale of a tile's last row to each row's scale. If that row is unused and its scale is NaN, all rows of the tile become NaN.
template <class Right>
struct GroupedPaddingTimesZero : Right {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    constexpr int64_t kRows = Right::Unit::kM;
    return Right::scale_of_row(x, row, k) + 0.0f * Right::scale_of_row(x, row / kRows * kRows + kRows - 1, k);
  }
};

/// Reads the rows of `a` as if they followed each other without a gap.
template <class Right>
struct GroupedStrideIgnored : Right {
  template <class Rules>
  SIMT_DEVICE static bool enter(typename Right::Arguments& x, int64_t row) {
    x.pitch_a = x.k;
    return Right::template enter<Rules>(x, row);
  }
};
/// The fault of GroupedStrideIgnored, for experts whose rows end where expert_ends states. `row` becomes the row within the expert.
struct PsumStrideIgnored : DeepGemmPsum {
  template <class Rules>
  SIMT_DEVICE static bool enter(OffsetBlockArguments& x, int64_t& row) {
    x.pitch_a = x.k;
    return DeepGemmPsum::enter<Rules>(x, row);
  }
};

// Mistakes in the address of scales.

/// Reads the scales of all experts as one column-major matrix.
struct GroupedScalesOneMatrix : DeepGemmMasked {
  template <class Rules>
  SIMT_DEVICE static bool enter(GroupedGemmArguments& x, int64_t row) {
    x.scale_a.block_stride = x.m;
    x.scales_of_expert_a = x.room;
    return DeepGemmMasked::enter<Rules>(x, row);
  }
};

// Experts at offsets: tensor expert_offsets has the first row of each expert.

/// Always uses the weights of expert 0, with the scales of the right expert.
struct OffsetFirstExpert : VllmMoeMm {
  SIMT_DEVICE static int64_t expert_of_weights(const ExpertRows&, int64_t) { return 0; }
};

/// Uses the weight scales of the next expert.
struct OffsetNextScales : VllmMoeMm {
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) {
    return (expert + 1) % x.experts * x.scales_of_expert_b;
  }
};

/// Assumes one scale per expert: reads the scales of expert e from element e on. They begin at element e * n.
struct OffsetScalesOneApart : VllmMoeMmSwapAb {
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows&, int64_t expert) { return expert; }
};

/// For every expert, reads the scales of `a` from row 0 on.
struct OffsetFirstScales : TorchGroupedMmFast {
  SIMT_DEVICE static int64_t place_of_scales_a(const OffsetGemmArguments&, int64_t) { return 0; }
};

/// Numbers only experts that have rows, so later experts use the weights and scales of earlier ones.
struct OffsetEmptySkipped : VllmMoeMm {
  SIMT_DEVICE static int64_t with_rows_before(const ExpertRows& x, int64_t expert) {
    int64_t count = 0;
    for (int64_t other = 0; other < expert; ++other) count += x.sizes[3 * other] > 0;
    return count;
  }
  SIMT_DEVICE static int64_t expert_of_weights(const ExpertRows& x, int64_t expert) { return with_rows_before(x, expert); }
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) {
    return with_rows_before(x, expert) * x.scales_of_expert_b;
  }
};

/// Uses the number of rows of an expert as the row where it begins.
struct OffsetSizesAsOffsets : VllmMoeMm {
  SIMT_DEVICE static int64_t first_row(const ExpertRows& x, int64_t expert) { return x.sizes[3 * expert]; }
};

/// Assumes that an expert ends where the next one begins, so it also computes rows between two experts.
struct OffsetToTheNext : VllmMoeMm {
  template <class Rules>
  SIMT_DEVICE static int64_t rows(const OffsetGemmArguments& x, int64_t expert) {
    const int64_t stated = x.sizes[3 * expert];
    return expert + 1 < x.experts && stated > 0 && x.offsets[expert + 1] > x.offsets[expert]
               ? x.offsets[expert + 1] - x.offsets[expert]
               : stated;
  }
};

/// Promotes the accumulator to fp32, as schedules without FastAccum do.
struct OffsetPromoted : AtOffsets<WeightFirst<units::Sm90WgmmaE4m3F32, 128>> {
  static constexpr const char* kContract = VllmMoeMm::kContract;
};

/// Uses an expert's first row in `a` as its first row of scales. Scales are padded to tiles; blockscale_offsets has their first rows.
struct OffsetMxUnpadded : MxAtOffsets<OffsetMxUnpadded> {
  static constexpr const char* kContract = VllmMxGrouped::kContract;
  SIMT_DEVICE static int64_t row_of_tiles(const OffsetMxArguments&, int64_t, int64_t first) { return first; }
};

/// Uses the weight scales of the next expert.
struct OffsetMxNextScales : MxAtOffsets<OffsetMxNextScales> {
  static constexpr const char* kContract = VllmMxGrouped::kContract;
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) {
    return (expert + 1) % x.experts * x.scales_of_expert_b;
  }
};

/// FP4: uses the alpha of the first expert for all experts.
struct OffsetAlphaOfFirst : VllmNvfp4Grouped {
  SIMT_DEVICE static int64_t expert_of_alpha(const OffsetMxArguments& /*x*/, int64_t /*expert*/) { return 0; }
};

/// FP4: uses the alpha of the next expert.
struct OffsetAlphaOfNext : VllmNvfp4GroupedSm120 {
  SIMT_DEVICE static int64_t expert_of_alpha(const OffsetMxArguments& x, int64_t expert) { return (expert + 1) % x.experts; }
};

/// FP4: rounds the sum to 16 bits before it is multiplied by alpha.
struct OffsetAlphaRounded : VllmNvfp4Grouped {
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return x.global_b[0] * simt::to_float(simt::from_float<Y>(sum));
  }
};

/// FP4: uses an expert's first row in `a` as its first row of scales. Scales are padded to tiles; blockscale_offsets has their first rows.
struct OffsetFp4Unpadded : VllmMxfp4Grouped {
  SIMT_DEVICE static int64_t row_of_tiles(const OffsetMxArguments& /*x*/, int64_t /*expert*/, int64_t first) { return first; }
};

// Experts with block scales. Each begins where the previous one ends, or at the next tile.

/// Always uses the weights of expert 0, with the scales of the right expert.
template <class Right>
struct EndsFirstExpert : Right {
  SIMT_DEVICE static int64_t expert_of_weights(const ExpertRows&, int64_t) { return 0; }
};

/// Uses the weight scales of the next expert.
template <class Right>
struct EndsNextScales : Right {
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) {
    return (expert + 1) % x.experts * x.scales_of_expert_b;
  }
};

/// Numbers only experts that have rows, so later experts use the weights of earlier ones.
template <class Right>
struct EndsEmptySkipped : Right {
  SIMT_DEVICE static int64_t with_rows_before(const ExpertRows& x, int64_t expert) {
    int64_t count = 0;
    for (int64_t other = 0; other < expert; ++other) count += x.sizes[other] > Right::first_row(x, other);
    return count;
  }
  SIMT_DEVICE static int64_t expert_of_weights(const ExpertRows& x, int64_t expert) { return with_rows_before(x, expert); }
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) {
    return with_rows_before(x, expert) * x.scales_of_expert_b;
  }
};

/// Writes the rows of an expert from the expert's end on, as if ends were offsets.
template <class Right>
struct EndsAsOffsets : Right {
  template <class Rules>
  SIMT_DEVICE static bool enter(OffsetBlockArguments& x, int64_t& row) {
    const int64_t expert = row / Right::Unit::kM / x.tiles, first = x.sizes[expert], size = first - Right::first_row(x, expert), all = x.m;
    if (!Right::template enter<Rules>(x, row)) return false;
    const int64_t by = first + size <= all ? first - Right::first_row(x, expert) : 0;
    x.d = static_cast<char*>(x.d) + by * x.pitch_d * 2;
    return true;
  }
};

/// Adds 0 times the scale of a tile's last row to each row's scale. If that row is unused and its scale is NaN, all rows of the tile become NaN.
struct PsumNanOfPadding : DeepGemmPsum {
  SIMT_DEVICE static float scale_of_row(const BlockGemmArguments& x, int64_t row, int64_t k) {
    constexpr int64_t kRows = Unit::kM;
    return DeepGemmPsum::scale_of_row(x, row, k) + 0.0f * DeepGemmPsum::scale_of_row(x, row / kRows * kRows + kRows - 1, k);
  }
};

/// Uses an expert's first row in `a` as its first row of scales. The scales of each expert begin at a multiple of four rows.
template <class Right>
struct MxMoeUnpadded : Right {
  SIMT_DEVICE static int64_t row_of_scales_a(int64_t /*expert*/, int64_t first) { return first; }
};

// Experts along k: each expert has its own range of k.

/// Reads the scales of `a` from their start for every expert, without the offset of earlier experts. The next struct does so for `b`.
struct KGroupedFirstScalesA : DeepGemmKGrouped {
  SIMT_DEVICE static int64_t first_scale_a(int64_t /*first*/) { return 0; }
};
struct KGroupedFirstScalesB : DeepGemmKGrouped {
  SIMT_DEVICE static int64_t first_scale_b(int64_t /*first*/) { return 0; }
};
/// Adds `c` of the first expert for every expert.
struct KGroupedFirstC : DeepGemmKGrouped {
  SIMT_DEVICE static int64_t expert_of_c(int64_t /*expert*/) { return 0; }
};

// Masked experts with shuffled weights.

/// Reads the weights as if they were row-major.
struct AiterNotShuffled : AiterDeepGemm {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t pitch) { return column * pitch + k; }
};
/// Computes all rows of an expert, including those not in use.
struct AiterMaskIgnored : AiterDeepGemm {
  template <class Rules>
  SIMT_DEVICE static int64_t rows(const OffsetGemmArguments& x, int64_t /*expert*/) {
    return x.room;
  }
};
/// Uses the weight scales of the next expert.
struct AiterNextScales : AiterDeepGemm {
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) {
    return (expert + 1) % x.experts * x.scales_of_expert_b;
  }
};

// fused_moe.

/// Multiplies by the router weight after the cast to 16 bits; the contract multiplies before it.
struct MoeWeightAfterCast : VllmMoeBlock {
  template <class Rules, class Y>
  SIMT_DEVICE static float finished(float sum, float, float, float bias, bool has_bias, float w) {
    return simt::to_float(simt::from_float<Y>(has_bias ? sum + bias : sum)) * w;
  }
};

/// Multiplies by the router weight before the bias is added; the contract multiplies after it.
struct MoeBiasAfterWeight : VllmMoeChannel {
  template <class Rules, class Y>
  SIMT_DEVICE static float finished(float sum, float sa, float sb, float bias, bool has_bias, float w) {
    const float weighted = Rules::scaled(sum, sa, sb) * w;
    return has_bias ? weighted + bias : weighted;
  }
};

/// Adds the bias before the scales, as vLLM did before v0.14.0.
struct MoeBiasScaled : VllmMoeChannel {
  template <class Rules, class Y>
  SIMT_DEVICE static float finished(float sum, float sa, float sb, float bias, bool has_bias, float w) {
    return Rules::scaled(has_bias ? sum + bias : sum, sa, sb) * w;
  }
};

/// Rounds the accumulator to bf16 after each block.
struct MoeSumInBf16 : VllmMoeBlock {
  SIMT_DEVICE static float kept(float acc) { return simt::to_float(simt::from_float<simt::Bf16>(acc)); }
};

/// With BLOCK_SIZE_K 64, the index into the scales of `a` advances by BLOCK_SIZE_K / group_k = 0: the first scales are used for all of k.
struct MoeScaleStepZero : VllmMoeBlockM16K64 {
  SIMT_DEVICE static int64_t block_of_scale_a(int64_t /*k*/) { return 0; }
};

template <class Right>
struct MoeNextScales : Right {
  SIMT_DEVICE static int64_t expert_of_scales(const FusedMoeArguments& x, int64_t expert) { return (expert + 1) % x.experts; }
};

/// Uses the bias of the first expert for all experts.
struct MoeBiasOfFirst : VllmMoeBlockM16 {
  SIMT_DEVICE static int64_t expert_of_bias(const FusedMoeArguments& /*x*/, int64_t /*expert*/) { return 0; }
};

/// Uses the expert of the previous block of slots.
struct MoeBoundary : VllmMoeBlockM16 {
  SIMT_DEVICE static int64_t expert_of_block(const FusedMoeArguments& x, int64_t block) {
    const int64_t own = x.experts_of_blocks[block], before = block > 0 ? x.experts_of_blocks[block - 1] : own;
    return own < 0 || before < 0 ? own : before;
  }
};

/// Computes blocks of expert -1 with the weights of the first expert; the contract writes zeros.
struct MoeAbsentComputed : VllmMoeBlock {
  SIMT_DEVICE static int64_t expert_of_block(const FusedMoeArguments& x, int64_t block) {
    return x.experts_of_blocks[block] < 0 ? 0 : x.experts_of_blocks[block];
  }
};

/// Does not write blocks of expert -1; the contract writes zeros.
struct MoeAbsentUntouched : VllmMoeInt8 {
  template <class Y>
  SIMT_DEVICE static void finish_absent(const FusedMoeArguments& /*x*/, int64_t /*slot*/, int64_t /*column*/) {}
};

/// Uses the slot, not slot / topk, as the row of `a`. A slot beyond the last row of `a` uses the last row.
template <class Right>
struct MoeSlotAsRow : Right {
  SIMT_DEVICE static int64_t row_of_slot(const FusedMoeArguments& x, int64_t slot) {
    const int64_t rows = x.m / x.topk;
    return slot < rows ? slot : rows - 1;
  }
};

/// Assumes that slots are numbered [topk, tokens]; they are numbered [tokens, topk].
struct MoeSlotMajor : VllmMoeChannelM16 {
  SIMT_DEVICE static int64_t row_of_slot(const FusedMoeArguments& x, int64_t slot) { return slot % (x.m / x.topk); }
};

/// Reads the router weight at the slot's position in the sorted list; it is stored at the slot itself.
struct MoeWeightByPlace : SglangMoeBlock {
  SIMT_DEVICE static float weight(const FusedMoeArguments& x, int64_t /*slot*/, int64_t place) {
    return x.weights[place < x.m ? place : x.m - 1];
  }
};

/// Uses the router weight of a token's first expert for all its experts.
struct MoeWeightOfFirst : SglangMoeChannel {
  SIMT_DEVICE static float weight(const FusedMoeArguments& x, int64_t slot, int64_t /*place*/) { return x.weights[slot / x.topk * x.topk]; }
};

/// Also computes the first unused block, which here repeats the slots of block 0: block 0 therefore gets the expert of this unused block.
struct MoeEndIgnored : VllmMoeBlock {
  SIMT_DEVICE static int64_t expert_of_block(const FusedMoeArguments& x, int64_t block) {
    return x.experts_of_blocks[block == 0 ? x.blocks - 1 : block];
  }
};

namespace {

template <class Rules>
Kernel of_moe(const char* name, const char* cites) {
  return {name, "fused_moe", {Rules::kContract},           {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_fused_moe<Rules>,
          name, cites,       Rules::kOfBlocks ? "fused_moe.block" : "fused_moe.channel"};
}

template <class Rules>
Kernel of_offset_mx(const char* name, const char* cites) {
  return {
      name,
      "gemm_grouped",
      {Rules::kContract},
      {{"y", kAny}, {"warp", simt::kWarpSizes}},
      {},
      run_offset_mx<Rules>,
      name,
      cites,
      units::Bytes<typename Rules::Unit>::kRow == Rules::Unit::kK ? "gemm_grouped.mx_at_offsets" : "gemm_grouped.fp4_at_offsets"};
}

template <class Rules>
Kernel of_offset_gemm(const char* name, const char* cites) {
  return {name, "gemm_grouped", {Rules::kContract},       {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_offset_gemm<Rules>,
          name, cites,          Rules::kRows == ExpertTensor::kTokens ? "gemm_grouped.amd_masked" : "gemm_grouped.at_offsets"};
}

template <class Rules>
Kernel of_blocks_at_ends(const char* name, const char* cites, const char* instead_of = "gemm_grouped.blackwell_at_ends") {
  return {name, "gemm_grouped", {Rules::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_blocks_at_ends<Rules>, name, cites, instead_of};
}

template <class Rules>
Kernel of_k_grouped(const char* name, const char* cites) {
  return {name, "gemm_grouped", {Rules::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_k_grouped<Rules>, name, cites, "gemm_grouped.along_k"};
}

template <class Rules>
Kernel of_grouped_gemm(const char* name, const char* cites) {
  return {name,
          "gemm_grouped",
          {Rules::kContract},
          {{"y", kAny}, {"warp", simt::kWarpSizes}},
          {},
          run_grouped_gemm<Rules>,
          name,
          cites,
          Rules::kInUnit ? (Rules::kMasked ? "gemm_grouped.packed_masked" : "gemm_grouped.packed_by_index") : Rules::kMasked ? "gemm_grouped.masked" : "gemm_grouped.by_index"};
}

}  // namespace

std::vector<Kernel> grouped_gemm_faults() {
  return {
      of_grouped_gemm<GroupedFirstExpert<DeepGemmContiguous>>("grouped_gemm_first_expert",
                                                              "invented fault: this kernel uses the weights of expert 0 for every expert"),
      of_grouped_gemm<GroupedFirstExpert<DeepGemmMasked>>("grouped_gemm_masked_first_expert",
                                                          "invented fault: this kernel uses the weights of expert 0 for every expert"),
      of_grouped_gemm<GroupedBoundary>("grouped_gemm_boundary",
                                       "deepgemm scheduler/gemm.cuh reads the expert of a whole tile of rows from its first row; this kernel reads it from the "
                                       "row before the tile"),
      of_grouped_gemm<GroupedNextScales<DeepGemmContiguous>>("grouped_gemm_next_scales",
                                                             "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_grouped_gemm<GroupedNextScales<DeepGemmMasked>>("grouped_gemm_masked_next_scales",
                                                         "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_grouped_gemm<GroupedEmptySkipped<DeepGemmContiguous>>("grouped_gemm_empty_skipped",
                                                               "pytorch 186365: results are inconsistent if a group is empty; this kernel does not count empty "
                                                               "experts, so later experts use wrong weights"),
      of_grouped_gemm<GroupedEmptySkipped<DeepGemmMasked>>("grouped_gemm_masked_empty_skipped",
                                                           "pytorch 186365: results are inconsistent if a group is empty; this kernel does not count empty "
                                                           "experts, so later experts use wrong weights"),
      of_grouped_gemm<GroupedStrideIgnored<DeepGemmContiguous>>(
          "grouped_gemm_stride_ignored", "vLLM #26192: a caller views strided rows as [-1, H], so the kernel ignores the gaps between rows"),
      of_blocks_at_ends<PsumStrideIgnored>("grouped_gemm_psum_stride_ignored",
                                           "vLLM #26192: a caller views strided rows as [-1, H], so the kernel ignores the gaps between rows",
                                           "gemm_grouped.at_ends"),
      of_grouped_gemm<GroupedSizesAsOffsets>(
          "grouped_gemm_sizes_as_offsets", "deepgemm 54e22612: masked_m holds the sizes of experts, the psum layout their ends; this kernel reads sizes as "
                                           "ends"),
      of_grouped_gemm<GroupedMaskIgnored>("grouped_gemm_mask_ignored",
                                          "flashinfer 4046: masked_m is read out of bounds, or not at all; this kernel computes all rows of an expert, even "
                                          "those not in use"),
      of_grouped_gemm<GroupedPaddingTimesZero<DeepGemmContiguous>>(
          "grouped_gemm_nan_of_padding", "flashinfer 3650: NaN in a padding row reaches the valid rows of the same tile"),
      of_grouped_gemm<GroupedPaddingTimesZero<DeepGemmMasked>>(
          "grouped_gemm_masked_nan_of_padding", "flashinfer 3650: NaN in a padding row reaches the valid rows of the same tile"),
      of_offset_gemm<OffsetFirstExpert>("grouped_gemm_offsets_first_expert",
                                        "invented fault: this kernel uses the weights of expert 0 for every expert"),
      of_offset_gemm<OffsetNextScales>("grouped_gemm_offsets_next_scales", "invented fault: this kernel uses the weight scales of the next expert for each "
                                                                           "expert"),
      of_offset_gemm<OffsetScalesOneApart>("grouped_gemm_offsets_scales_one_apart",
                                           "vllm get_group_starts.cuh: the offset of an expert's scales is per_out_ch ? n * expert_id : expert_id; this kernel "
                                           "always uses expert_id"),
      of_offset_gemm<OffsetFirstScales>("grouped_gemm_offsets_first_scales",
                                        "vllm get_group_starts.cuh: the offset of an expert's scales is per_act_token ? expert_offset : 0; this kernel always "
                                        "uses 0"),
      of_offset_gemm<OffsetEmptySkipped>("grouped_gemm_offsets_empty_skipped",
                                         "pytorch 186365: results are inconsistent if a group is empty; this kernel does not count empty experts, so later "
                                         "experts use wrong weights"),
      of_offset_gemm<OffsetSizesAsOffsets>("grouped_gemm_offsets_sizes_as_offsets",
                                           "invented fault: this kernel uses an expert's number of rows as its first row"),
      of_offset_gemm<OffsetToTheNext>(
          "grouped_gemm_offsets_to_the_next",
          "vllm moe_data.cu: experts begin padded_m rows apart and use expert_num_tokens of these rows; this kernel computes all of them"),
      of_offset_gemm<OffsetPromoted>("grouped_gemm_offsets_promoted",
                                     "cutlass fp8_accumulation.hpp: schedules without FastAccum promote the accumulator; this kernel does so, but its contract "
                                     "has FastAccum"),
      of_offset_mx<OffsetMxUnpadded>("grouped_gemm_mx_unpadded",
                                     "flashinfer 3604: scales are padded once, after the rows of all experts, instead of after each expert"),
      of_offset_mx<OffsetMxNextScales>("grouped_gemm_mx_next_scales", "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_offset_mx<OffsetAlphaOfFirst>("nvfp4_grouped_gemm_alpha_of_first",
                                       "invented fault: this kernel uses the first expert's alpha for all experts, as if it got alpha_ptr instead of "
                                       "alpha_ptr_array"),
      of_offset_mx<OffsetAlphaOfNext>("nvfp4_grouped_gemm_alpha_of_next", "invented fault: this kernel uses the alpha of the next expert for each expert"),
      of_offset_mx<OffsetAlphaRounded>("nvfp4_grouped_gemm_rounded_before_alpha",
                                       "vLLM #37135: the sum is rounded to 16 bits before it is multiplied by the global scale"),
      of_offset_mx<OffsetFp4Unpadded>("mxfp4_grouped_gemm_unpadded",
                                      "flashinfer 3604: scales are padded once, after the rows of all experts, instead of after each expert"),
      of_blocks_at_ends<EndsFirstExpert<DeepGemmPsum>>(
          "grouped_gemm_psum_first_expert", "invented fault: this kernel uses the weights of expert 0 for every expert", "gemm_grouped.at_ends"),
      of_blocks_at_ends<EndsEmptySkipped<DeepGemmPsum>>("grouped_gemm_psum_empty_skipped",
                                                        "pytorch 186365: results are inconsistent if a group is empty; this kernel does not count empty "
                                                        "experts, so later experts use wrong weights",
                                                        "gemm_grouped.at_ends"),
      of_blocks_at_ends<EndsAsOffsets<DeepGemmPsum>>(
          "grouped_gemm_psum_ends_as_offsets",
          "deepgemm 54e22612: grouped_layout holds the ends of experts in one layout and expert numbers in another; this kernel uses ends as first "
          "rows", "gemm_grouped.at_ends"),
      of_blocks_at_ends<PsumNanOfPadding>("grouped_gemm_psum_nan_of_padding",
                                          "flashinfer 3650: NaN in a padding row reaches the valid rows of the same tile",
                                          "gemm_grouped.at_ends"),
      of_blocks_at_ends<EndsNextScales<DeepGemmPsumPacked>>("grouped_gemm_psum_packed_next_scales",
                                                            "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_blocks_at_ends<EndsNextScales<FlashinferGroupwise>>("grouped_gemm_groupwise_next_scales",
                                                             "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_blocks_at_ends<EndsFirstExpert<FlashinferGroupwiseSm120>>(
          "grouped_gemm_groupwise_first_expert", "invented fault: this kernel uses the weights of expert 0 for every expert"),
      of_blocks_at_ends<MxMoeUnpadded<FlashinferMxMoe128>>("grouped_gemm_mx_moe_unpadded",
                                                           "flashinfer 3604: scales are padded once, after the rows of all experts, instead of after each "
                                                           "expert"),
      of_blocks_at_ends<EndsEmptySkipped<FlashinferMxMoe32>>("grouped_gemm_mx_moe_empty_skipped",
                                                             "pytorch 186365: results are inconsistent if a group is empty; this kernel does not count empty "
                                                             "experts, so later experts use wrong weights"),
      of_k_grouped<KGroupedFirstScalesA>("grouped_gemm_along_k_first_scales_a",
                                         "invented fault: this kernel reads the scales of a from their start for every expert"),
      of_k_grouped<KGroupedFirstScalesB>("grouped_gemm_along_k_first_scales_b",
                                         "invented fault: this kernel reads the scales of b from their start for every expert"),
      of_k_grouped<KGroupedFirstC>("grouped_gemm_along_k_first_c", "invented fault: this kernel adds the first expert's c for every expert"),
      of_offset_gemm<AiterNotShuffled>("grouped_gemm_amd_not_shuffled", "aiter 2900: a shuffled operand is read as if it were row-major"),
      of_offset_gemm<AiterMaskIgnored>("grouped_gemm_amd_mask_ignored",
                                       "flashinfer 4046: masked_m is read out of bounds, or not at all; this kernel computes all rows of an expert, even those "
                                       "not in use"),
      of_offset_gemm<AiterNextScales>("grouped_gemm_amd_next_scales", "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_grouped_gemm<GroupedNextScales<DeepGemmContiguousPacked>>("grouped_gemm_packed_next_scales",
                                                                   "invented fault: this kernel uses the weight scales of the next expert for each expert"),
      of_grouped_gemm<GroupedMaskIgnoredPacked>("grouped_gemm_packed_mask_ignored",
                                                "flashinfer 4046: masked_m is read out of bounds, or not at all; this kernel computes all rows of an expert, "
                                                "even those not in use"),
      of_grouped_gemm<GroupedScalesOneMatrix>("grouped_gemm_masked_scales_one_matrix",
                                              "flashinfer 3604: the scales of all experts are read as one matrix instead of one matrix per expert"),
      of_moe<MoeWeightAfterCast>("fused_moe_weight_after_cast", "vllm 31931: the kernel multiplies by the router weight after the cast to 16 bits; the "
                                                                "contract multiplies before it"),
      of_moe<MoeBiasAfterWeight>("fused_moe_bias_after_weight", "invented fault: this kernel multiplies by the router weight before it adds the bias"),
      of_moe<MoeBiasScaled>("fused_moe_bias_scaled", "vllm 31676: the kernel adds the bias before it multiplies by the scales"),
      of_moe<MoeSumInBf16>("fused_moe_bf16_sum", "invented fault: this kernel rounds the accumulator to bf16 after each block along k"),
      of_moe<MoeScaleStepZero>("fused_moe_scale_step_zero",
                               "sglang 20819: if BLOCK_SIZE_K < group_k, the kernel uses the first scales for all of k"),
      of_moe<MoeNextScales<VllmMoeBlockSwapAb>>("fused_moe_next_scales", "invented fault: this kernel uses the weight scales of the next expert for each "
                                                                         "expert"),
      of_moe<MoeNextScales<VllmMoeChannel>>("fused_moe_channel_next_scales", "invented fault: this kernel uses the weight scales of the next expert for each "
                                                                             "expert"),
      of_moe<MoeBiasOfFirst>("fused_moe_bias_of_first", "invented fault: this kernel adds the first expert's bias for all experts"),
      of_moe<MoeBoundary>("fused_moe_boundary", "invented fault: this kernel computes each block of rows with the expert of the previous block"),
      of_moe<MoeAbsentComputed>("fused_moe_absent_computed",
                                "vllm 51632: the expert map decides which experts count as absent; this kernel computes absent experts with the weights of "
                                "expert 0"),
      of_moe<MoeAbsentUntouched>("fused_moe_absent_untouched", "invented fault: this kernel does not write the zeros that the contract requires for absent "
                                                               "experts"),
      of_moe<MoeSlotAsRow<VllmMoeBlock>>("fused_moe_slot_as_row",
                                         "invented fault: this kernel uses the slot as the row of a; the contract uses slot / topk"),
      of_moe<MoeSlotAsRow<VllmMoeInt8>>("fused_moe_int8_slot_as_row",
                                        "invented fault: this kernel uses the slot as the row of a; the contract uses slot / topk"),
      of_moe<MoeSlotMajor>("fused_moe_slot_major",
                           "invented fault: this kernel numbers slots as [topk, tokens] instead of [tokens, topk]"),
      of_moe<MoeWeightByPlace>("fused_moe_weight_by_place",
                               "invented fault: this kernel reads a slot's router weight at the slot's position in the sorted list; it is stored at the slot's "
                               "number"),
      of_moe<MoeWeightOfFirst>("fused_moe_weight_of_first",
                               "invented fault: this kernel uses the router weight of a token's first expert for all experts of the token"),
      of_moe<MoeEndIgnored>("fused_moe_end_ignored", "invented fault: this kernel also computes an unused block of rows, because it does not read "
                                                     "num_tokens_post_padded"),
  };
}

}  // namespace assay_kernels
