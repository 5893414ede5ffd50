// Faults of paged caches and of rotary embeddings. Each description cites a bug report or source, or says that the fault is invented.
#include "kernels/faulty/cache_faults.h"

#include "kernels/ops/call.h"
#include "kernels/ops/gather_cache/gather_cache_kernel.h"

namespace assay_kernels {

// The MLA cache.

namespace {

template <class Rules>
Kernel of_tile_caches(const char* name, const char* cites) {
  return of_caches<Rules>("concat_and_cache_mla", run_concat_and_cache_tiles<Rules>, name, cites);
}

}  // namespace

std::vector<Kernel> cache_faults() {
  return {
      of_tile_caches<CacheSlotMinusOne<>>("cache_slot_minus_one",
                                          "vLLM #43810: padding tokens, whose slot is -1, are written to the last slot of the cache"),
      of_tile_caches<CacheBlocksDense<>>("cache_blocks_dense", "vLLM #37032, vLLM #45111, aiter #3498: this kernel ignores the gaps between the blocks of the "
                                                               "cache"),
      of_tile_caches<CacheRowsDense>("cache_rows_dense", "vLLM #26192, vLLM #28103: the kernel ignores the row stride of its inputs"),
      of_tile_caches<CacheScalesLast>("cache_scales_last", "vLLM #48611: an fp8_ds_mla cache is read in a wrong layout; this kernel stores the scales after "
                                                           "the rotated elements instead of before them"),
      of_tile_caches<CacheTilesMerged>("cache_tiles_merged", "vLLM #39513, vLLM #42758: this kernel uses one scale for two tiles; each tile should have its "
                                                             "own"),
      of_tile_caches<CacheReciprocal>("cache_reciprocal", "sglang #30924: the kernel multiplies by the reciprocal of the scale; the contract divides by the "
                                                          "scale"),
      of_tile_caches<CacheScaleFloorMissing>("cache_scale_floor_missing", "pytorch/ao #4713, aiter #4288: this kernel has no lower limit for the scale"),
      of_tile_caches<CachePowerOfTwo>("cache_power_of_two",
                                      "vLLM PR 49435: v0.31.0 rounds scales to powers of two, v0.30.0 does not; this kernel rounds them in v0.30.0's contract"),
      of_tile_caches<Cache448For224>("cache_448_for_224", "vLLM cache_kernels.cu kFp8ScaleDivisor, sglang #30900: amax is divided by 448 instead of 224 on a "
                                                          "chip with e4m3fnuz"),
  };
}

// The DeepSeek-V4 cache.

namespace {

template <class Rules>
Kernel of_dsv4_caches(const char* name, const char* cites, const Values& x = kHalf) {
  return of_caches<Rules>("dsv4_kv_insert", run_dsv4_kv_insert<Rules>, name, cites, x);
}

}  // namespace

std::vector<Kernel> dsv4_faults() {
  return {
      of_dsv4_caches<CacheSlotMinusOne<VllmDsv4Kv>>("dsv4_slot_minus_one",
                                                    "vLLM #43810: padding tokens, whose slot is -1, are written to the last slot of the cache"),
      of_dsv4_caches<CacheBlocksDense<VllmDsv4Kv>>("dsv4_blocks_dense",
                                                   "vLLM #44577, vLLM #45111: a packed cache has gaps between its blocks; this kernel ignores the gaps"),
      of_dsv4_caches<Dsv4ScalesApartBy7>("dsv4_scales_apart_by_7",
                                         "vLLM 00ce99f0: kScaleBytesPerToken counts 7 scales and 1 byte of padding; this kernel assumes that the scales of "
                                         "tokens lie 7 bytes apart"),
      of_dsv4_caches<Dsv4TokenByToken>("dsv4_token_by_token",
                                       "vLLM #50576, vLLM #40991, 1Cat-vLLM #250: each token is stored together with its scales, which belong after all tokens "
                                       "of a cache block"),
      of_dsv4_caches<Dsv4PadStale>("dsv4_pad_stale", "vLLM #49784: padding of scales is left unwritten; this kernel does not write the padding of a cache "
                                                     "block"),
      of_dsv4_caches<Dsv41ScalesLast>("dsv41_scales_last",
              "vllm cache_utils.py v0.33.0 has both layouts: scales after each token, or after all tokens of a block; this kernel uses the layout of the other "
              "contract"),
      of_dsv4_caches<Dsv4FloorForCeil<VllmDsv41Kv>>("dsv41_floor_for_ceil", "vLLM #43557: this kernel rounds scales down to powers of two; the contract rounds "
                                                                            "them up"),
      of_dsv4_caches<Dsv4Unrotated<VllmDsv41Kv>>("dsv41_unrotated", "1Cat-vLLM #162: some elements are stored without the rotation; this kernel rotates none"),
      of_dsv4_caches<Dsv4FloorForCeil<>>("dsv4_floor_for_ceil", "vLLM #43557: this kernel rounds scales down to powers of two; the contract rounds them up"),
      of_dsv4_caches<Dsv4FloorMissing>("dsv4_floor_missing", "pytorch/ao #4713, aiter #4288: this kernel has no lower limit for the scale, so a group of zeros "
                                                             "gives 0 / 0", {"f16"}),
      of_dsv4_caches<Dsv4Range224>("dsv4_range_224", "sglang #30900: the range 224 is used on every chip; this kernel uses it on a chip with e4m3fn, whose "
                                                     "range is 448"),
      of_dsv4_caches<Dsv4GroupsMerged>("dsv4_groups_merged", "vLLM #39513, vLLM #42758: this kernel uses one scale for two groups; each group should have its "
                                                             "own"),
      of_dsv4_caches<Dsv4Unrotated<>>("dsv4_unrotated", "1Cat-vLLM #162: some elements are stored without the rotation; this kernel rotates none"),
      of_dsv4_caches<Dsv4RotatedCutOff>("dsv4_rotated_cut_off", "aiter #5151, aiter #2236: this kernel truncates the rotated elements instead of rounding "
                                                                "them", {"bf16"}),
      of_dsv4_caches<Dsv4PositionsIgnored>("dsv4_positions_ignored",
                                           "invented fault: this kernel uses a token's index in the batch as its position, which is right only for one "
                                           "sequence that starts at position 0"),
  };
}

// Norms that are fused with writing the DeepSeek-V4 cache.

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
                                 "vLLM test_layernorm.py: with H >= 5120, the test accepts a kernel that ignores the variance, as this kernel does"),
      of_kv<Dsv4EpsOutside>("dsv4_eps_outside", "coremltools #2822: eps is added in the wrong place; this kernel adds it outside the square root"),
      of_kv<Dsv4RoundedBeforeWeight<>>("dsv4_rounded_before_weight", "vLLM #42325, vLLM #46070: this kernel also rounds before it multiplies by the weight; "
                                                                     "the contract rounds only the result"),
      of_kv<Dsv4WeightLeftOut>("dsv4_weight_left_out", "invented fault: this kernel normalizes KV without the weight, as Q is normalized"),
      of_kv<Dsv4RowsDense>("dsv4_rows_dense", "vLLM #26192, vLLM #28103: the kernel ignores the row stride of its inputs"),
      of_both<Dsv4NoHeadsWithoutSlot>("dsv4_no_heads_without_slot",
                                      "vLLM 00ce99f0: for slot -1 only the KV branch may return early; this kernel leaves the heads of q unwritten, too"),
      of_both<Dsv4HeadsEndWithSlots>("dsv4_heads_end_with_slots",
                                     "vLLM 00ce99f0: with padding for data parallelism, slot_mapping may be shorter than q; this kernel leaves the heads of "
                                     "tokens beyond its end unwritten"),
      of_both<Dsv4HeadsRoundedBeforeRope>("dsv4_heads_rounded_before",
                                          "vLLM test_fused_deepseek_v4: the test's reference rounds before the rotation, vLLM's kernel does not; this kernel "
                                          "rounds, too"),
      of_both<Dsv4HeadsStale>("dsv4_heads_stale", "vLLM #49784: padding of scales is left unwritten; this kernel does not write padding heads"),
      of_both<Dsv4BothPositionsIgnored>("dsv4_both_positions_ignored",
                                        "invented fault: this kernel uses a token's index in the batch as its position, which is right only for one sequence "
                                        "that starts at position 0"),
      of_both<Dsv4BothKvUnrotated>("dsv4_both_kv_unrotated", "1Cat-vLLM #162: two stores to elements 448-511 overlap, so unrotated elements remain; this "
                                                             "kernel rotates none of kv"),
  };
}

// The cache of the indexer's keys.

namespace {

template <class Rules>
Kernel of_indexer_caches(const char* name, const char* cites) {
  return of_caches<Rules>("indexer_k_quant_and_cache", run_indexer_k_quant_and_cache<Rules>, name, cites);
}

}  // namespace

std::vector<Kernel> indexer_faults() {
  return {
      of_indexer_caches<CacheSlotMinusOne<VllmIndexerKUe8m0>>("indexer_slot_minus_one",
                                                              "vLLM #43810: padding tokens, whose slot is -1, are written to the last slot of the cache"),
      of_indexer_caches<CacheBlocksDense<VllmIndexerK>>("indexer_blocks_dense", "vLLM #45111, TensorRT-LLM #16223: this kernel ignores the gaps between the "
                                                                                "blocks of the cache"),
      of_indexer_caches<IndexerMxFloorForCeil>("indexer_mx_floor_for_ceil", "vLLM #43557: this kernel rounds scales down to powers of two; the contract rounds "
                                                                            "them up"),
      of_indexer_caches<IndexerTokenByToken>("indexer_token_by_token", "vLLM #50576, vLLM #40991, 1Cat-vLLM #250: this kernel stores each key together with "
                                                                       "its scale; the scales belong after all keys of a cache block"),
      of_indexer_caches<IndexerFormatIgnored>("indexer_format_ignored", "vLLM #40552: the kernel stores scales that are not powers of two"),
      of_indexer_caches<IndexerFloorForCeil>("indexer_floor_for_ceil", "vLLM #43557: this kernel rounds scales down to powers of two; the contract rounds them "
                                                                       "up"),
      of_indexer_caches<IndexerFloorMissing>("indexer_floor_missing", "pytorch/ao #4713, aiter #4288: this kernel has no lower limit for amax"),
      of_indexer_caches<IndexerReciprocal>("indexer_reciprocal", "sglang #30924: the kernel multiplies by the reciprocal of the scale; the contract divides by "
                                                                 "the scale"),
      of_caches<IndexerAmaxOfIntegers>("indexer_k_quant_and_cache", run_indexer_k_quant_and_cache<IndexerAmaxOfIntegers>,
                                       "indexer_fp16_as_integers",
                                       "vLLM 0.30.0 to 0.33.0: quant_utils.cuh 0492a439 maps Half to uint16_t, so fp16 bits are compared as integers", {"f16"}),
      of_indexer_caches<Indexer448For224>("indexer_448_for_224", "vLLM cache_kernels.cu kFp8ScaleDivisor, sglang #30900: amax is divided by 448 instead of 224 "
                                                                 "on a chip with e4m3fnuz"),
  };
}

// The attention cache.

namespace {

template <class Rules, int kScales = 1>
Kernel of_flash_heads(const char* name, const char* cites) {
  return of_caches<Rules>("reshape_and_cache_flash", run_reshape_and_cache_flash<Rules, kScales>, name, cites);
}

}  // namespace

std::vector<Kernel> flash_faults() {
  return {
      of_flash_heads<FlashScaleIgnored>("flash_scale_ignored",
                                        "sglang #23946, sglang #20705: K and V are cast without being divided by their scales"),
      of_flash_heads<FlashScalesExchanged>("flash_scales_exchanged",
                                           "vLLM #6081: the single scale was replaced by one for K and one for V; this kernel exchanges them"),
      of_flash_heads<FlashFirstHeadScale, kHeads>("flash_first_head_scale",
                                                  "sglang #26436: the first head's scale is used for all heads"),
      of_flash_heads<FlashHndAsNhd>("flash_hnd_as_nhd", "vLLM #49012: a head-major (HND) cache is written as if it were token-major (NHD)"),
      of_flash_heads<FlashValueByKey>("flash_value_by_key", "vLLM #26192, vLLM #28103: a stride is assumed, not read; this kernel reads V with the row stride "
                                                            "of K"),
      of_flash_heads<FlashReciprocal>("flash_reciprocal", "sglang #30924: the kernel multiplies by the reciprocal of the scale; the contract divides by the "
                                                          "scale"),
      of_flash_heads<FlashSlotMinusOne>("flash_slot_minus_one", "vLLM #43810: padding tokens, whose slot is -1, are written to the last slot of the cache"),
  };
}

// Norm and rotary embedding of heads.

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
      of_heads<DivergentShuffle>("rope_divergent_shuffle", "vLLM #51049, vLLM #50903, vLLM #57681: this kernel shuffles with a full mask in a branch that only "
                                                           "some lanes take"),
      of_heads<HeadsAfterTheFirst>("rope_heads_after_the_first",
                                   "vLLM #51049: with tokens * heads >= 10240, a warp handles several heads, and its shuffles mix values of different heads"),
      of_heads<HalfAHeadApart>("rope_half_a_head_apart", "invented fault: this kernel pairs elements that are half a head apart; the contract pairs elements "
                                                         "that are rotary_dim / 2 apart"),
      of_heads<SignOnTheWrongHalf<>>("rope_sign_on_wrong_half",
                                     "this kernel rotates backwards, as the inverse rotation in vLLM's pos_encoding_kernels.cu 1051220e does"),
      of_heads<InterleavedForNeox>("rope_interleaved_for_neox", "invented fault: this kernel inverts the argument is_neox"),
      of_heads<NeoxForInterleaved>("rope_neox_for_interleaved", "invented fault: this kernel inverts the argument is_neox"),
      of_heads<PositionOffByOne>("rope_position_off_by_one", "invented fault: this kernel assumes that positions count from 1, but they count from 0"),
      of_heads<PositionsIgnored<>>("rope_positions_ignored",
                                   "invented fault: this kernel uses a token's index in the batch as its position, which is right only for one sequence that "
                                   "starts at position 0"),
      of_heads<CacheRowsInterleaved>("rope_cache_interleaved",
                                     "invented fault: this kernel reads the cos/sin cache as if cosines and sines were interleaved"),
      of_heads<RoundedBeforeRope>("rope_rounded_before",
                                  "vLLM #42325: a norm is rounded to 16 bits before its quantization; this kernel rounds normalized heads before it rotates "
                                  "them"),
      of_heads<NotRoundedBeforeRope>("rope_not_rounded_before",
                                     "vLLM test_fused_deepseek_v4: the fused kernel does not round before the rotation; the contract describes two unfused "
                                     "ops, so it rounds there"),
      of_heads<KWeightForQ>("rope_k_weight_for_q", "invented fault: this kernel uses the norm weight of K for Q, too"),
      of_heads<VRotatedToo>("rope_v_overwritten", "invented fault: this kernel rotates every head of qkv, even the heads of V"),
      of_q_heads<PaddedHeadsStale>("rope_padded_heads_stale", "vLLM #49784: padding of scales is left unwritten; this kernel does not write padding heads"),
      of_q_heads<FirstForLast>("rope_first_for_last",
                               "invented fault: this kernel rotates the first elements of a head instead of the last, as if it ignored rope_dim_offset of "
                               "vLLM's pos_encoding_kernels.cu 1051220e"),
  };
}

// gather_cache: each kernel has one mistake: in the address of a token, in its scale, or in a rounding.

// Mistakes in a token's address in the cache.

/// Ignores the block table: block number i of a sequence is block i of the cache.
struct GatherTableIgnored : VllmCpGatherCache {
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t /*request*/, int64_t block) {
    return block % a.blocks;
  }
};

/// Uses the row of the block table that belongs to the next sequence.
struct GatherNextTable : VllmGatherMlaFp8V0120 {
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t request, int64_t block) {
    return VllmGatherMlaFp8V0120::block_in_cache(a, (request + 1) % a.requests, block);
  }
};

/// Counts only sequences that have tokens, so later sequences use the wrong row of the block table.
struct GatherEmptySkipped : VllmGatherDsMla {
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t request, int64_t block) {
    int64_t used = 0;
    for (int64_t r = 0; r < request; ++r) used += a.first[r + 1] > a.first[r];
    return VllmGatherDsMla::block_in_cache(a, used, block);
  }
};

/// Rounds seq_starts down to whole blocks, as v0.11.0 does. The contract of v0.12.0 does not round them.
struct GatherStartsOfBlocks : VllmGatherMlaFp8V0120 {
  static constexpr bool kStartsOfBlocks = true;
};

/// Ignores seq_starts: copies each sequence from its first token on.
struct GatherStartsIgnored : VllmGatherDsMla {
  template <class Rules>
  SIMT_DEVICE static int64_t start_of(const GatherArguments& /*a*/, int64_t /*request*/) {
    return 0;
  }
};

/// Assigns the first token of a sequence to the sequence before it.
struct GatherBorderBefore : VllmGatherMlaFp8V0120 {
  SIMT_DEVICE static int64_t request_of(const GatherArguments& a, int64_t row) {
    int64_t request = 0;
    for (int64_t r = 1; r < a.requests; ++r)
      if (a.first[r] < row) request = r;
    return request;
  }
};

/// Reads each token's key and scale as one record; the correct layout has all keys of a block, then its scales.
struct GatherIndexerTokenByToken : VllmGatherIndexerKV0200 {
  SIMT_DEVICE static int64_t bytes_of_token(int64_t of_elements) { return of_elements + 4; }
  SIMT_DEVICE static int64_t scales_at(int64_t /*block_size*/, int64_t position) { return position * (kCopied + 4) + kCopied; }
};

/// Computes the distance between blocks from their shape, not from the stride.
struct GatherGapIgnored : VllmGatherMlaFp8V0120 {
  SIMT_DEVICE static const uint8_t* block_at(const GatherArguments& a, int64_t block) {
    return a.cache + block * int64_t{a.by_block.divisor} * kTokenBytes;
  }
};

// Faults in the choice of the scale, and in roundings.

struct GatherFirstScale : VllmGatherDsMla {
  SIMT_DEVICE static int64_t group_of(int64_t /*element*/, int /*per_scale*/) { return 0; }
};

/// DeepSeek-V4.1: reads the scales after all tokens of a block, where DeepSeek-V4 has them. The next struct uses a token's first scale for all groups.
struct GatherDsv41ScalesLast : VllmGatherDsv41K {
  SIMT_DEVICE static int64_t codes_at(int64_t /*block_size*/, int64_t position) { return position * kCoded; }
  SIMT_DEVICE static int64_t scales_at(int64_t block_size, int64_t position) { return block_size * kCoded + position * 16; }
};
struct GatherDsv41FirstScale : VllmGatherDsv41K {
  SIMT_DEVICE static int64_t group_of(int64_t /*element*/, int /*per_scale*/) { return 0; }
};
/// DeepSeek-V4: assumes 7 scale bytes per token. The cache has 8 bytes per token, of which the last is padding.
struct GatherDsv4ScalesApartBy7 : VllmGatherDsv4K {
  SIMT_DEVICE static int64_t scales_at(int64_t block_size, int64_t position) { return block_size * kTokenBytes + position * 7; }
};

/// Divides by the scale; the contract multiplies by it.
struct GatherDivides : VllmGatherMlaFp8V0120 {
  template <class T>
  SIMT_DEVICE static T number(float code, float scale) {
    return simt::from_float<T>(code / scale);
  }
};

/// Rounds the product to f16 first, as vLLM's overload for float2 does.
struct GatherThroughHalf : VllmGatherDsMla {
  template <class T>
  SIMT_DEVICE static T number(float code, float scale) {
    return simt::from_float<T>(simt::to_float(simt::from_float<simt::F16>(code * scale)));
  }
};

/// Decodes e4m3fn codes as e4m3fnuz, the format of another GPU.
struct GatherOtherCodes : VllmGatherMlaFp8V0120 {
  using Code = NumberOfE4m3fnuz;
};

/// Decodes the code of NaN as if it were a number.
struct GatherNanIsNumber : VllmGatherMlaFp8V0120 {
  struct Code {
    SIMT_DEVICE static float of(uint8_t code) { return number_of_code<4, 7>(code); }
  };
};

namespace {

template <class Rules>
Kernel of_gather(const char* name, const char* twin, const char* cites) {
  Accepts accepts = {{"warp", simt::kWarpSizes}};
  if (!Rules::kCopiesScales)
    accepts.emplace_back("y", Rules::kScaleElements > 0 ? Values{"bf16"} : Rules::kCoded == 0 ? kHalf : kAny);
  return {name, "gather_cache", {Rules::kContract}, accepts, {}, run_gather_cache<Rules>, name, cites, twin};
}

}  // namespace

std::vector<Kernel> gather_faults() {
  const char *dequantize = "gather_cache.dequantize", *upconvert = "gather_cache.upconvert", *copy = "gather_cache.copy",
             *parts = "gather_cache.parts";
  return {
      of_gather<GatherTableIgnored>("gather_table_ignored", copy, "invented fault: this kernel ignores the block table, which is right only while the cache is "
                                                                  "filled in order"),
      of_gather<GatherNextTable>("gather_next_table", dequantize, "invented fault: this kernel reads the next sequence's row of the block table"),
      of_gather<GatherEmptySkipped>("gather_empty_skipped", upconvert,
                                    "pytorch 186365: results are inconsistent if a group is empty; this kernel does not count empty sequences, so later ones "
                                    "use wrong rows of the block table"),
      of_gather<GatherStartsOfBlocks>("gather_starts_of_blocks", dequantize,
                                      "vLLM v0.11.0 cache_kernels.cu: seq_starts is rounded down to whole blocks; the contract does not round it"),
      of_gather<GatherStartsIgnored>("gather_starts_ignored", upconvert,
                                     "vLLM v0.24.0 cp_gather_and_upconvert_fp8_kv_cache has no seq_starts; this kernel ignores seq_starts"),
      of_gather<GatherBorderBefore>("gather_border_before", dequantize,
                                    "invented fault: this kernel assigns the first token of a sequence to the previous sequence, because its search compares "
                                    "with < instead of <="),
      of_gather<GatherIndexerTokenByToken>("gather_indexer_token_by_token", parts,
                                           "aiter 2954: each token's key and scale are read as one record of 132 bytes; the scales of a block are stored after "
                                           "all its keys"),
      of_gather<GatherGapIgnored>("gather_gap_ignored", dequantize,
                                  "invented fault: this kernel computes the distance between cache blocks from their shape instead of their stride"),
      of_gather<GatherDsv41ScalesLast>("gather_dsv41_scales_last", upconvert,
              "vllm cache_utils.py v0.33.0 has both layouts: scales after each token, or after all tokens of a block; this kernel uses the layout of the other "
              "contract"),
      of_gather<GatherDsv41FirstScale>("gather_dsv41_first_scale", upconvert, "invented fault: this kernel uses a token's first scale for all groups of the "
                                                                              "token"),
      of_gather<GatherDsv4ScalesApartBy7>("gather_dsv4_scales_apart_by_7", upconvert,
                                          "vLLM 00ce99f0: kScaleBytesPerToken counts 7 scales and 1 byte of padding; this kernel assumes that the scales of "
                                          "tokens lie 7 bytes apart"),
      of_gather<GatherFirstScale>("gather_first_scale", upconvert, "invented fault: this kernel uses a token's first scale for all groups of the token"),
      of_gather<GatherDivides>("gather_divides", dequantize, "vLLM 37054: the kernel divides by the cache's scales instead of multiplying by them"),
      of_gather<GatherThroughHalf>("gather_through_half", upconvert,
                                   "vLLM quant_utils.cuh: the overload for float2 rounds the product to half before bf16; the contract does not"),
      of_gather<GatherOtherCodes>("gather_other_codes", dequantize,
                                  "invented fault: this kernel decodes e4m3fn codes as gfx942's e4m3fnuz"),
      of_gather<GatherNanIsNumber>("gather_nan_is_number", dequantize,
                                   "sglang 37140: a conversion decodes the code of NaN as a number"),
  };
}

}  // namespace assay_kernels
