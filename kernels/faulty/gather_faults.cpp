// Faulty kernels of gather_cache: the correct kernel's rules with one mistake about a token's place, its scale, or a rounding.
#include "kernels/ops/gather_cache/gather_cache_kernel.h"

namespace assay_kernels {

// Which token.

struct GatherTableIgnored : VllmCpGatherCache {
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t /*request*/, int64_t block) {
    return block % a.blocks;
  }
};

struct GatherNextTable : VllmGatherMlaFp8V0120 {
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t request, int64_t block) {
    return VllmGatherMlaFp8V0120::block_in_cache(a, (request + 1) % a.requests, block);
  }
};

/// Counts sequences with tokens alone.
struct GatherEmptySkipped : VllmGatherDsMla {
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t request, int64_t block) {
    int64_t used = 0;
    for (int64_t r = 0; r < request; ++r) used += a.first[r + 1] > a.first[r];
    return VllmGatherDsMla::block_in_cache(a, used, block);
  }
};

/// The kernel of v0.11.0 where v0.12.0 is stated.
struct GatherStartsOfBlocks : VllmGatherMlaFp8V0120 {
  static constexpr bool kStartsOfBlocks = true;
};

struct GatherStartsIgnored : VllmGatherDsMla {
  template <class Rules>
  SIMT_DEVICE static int64_t start_of(const GatherArguments& /*a*/, int64_t /*request*/) {
    return 0;
  }
};

/// A binary search that takes the border for the sequence before it.
struct GatherBorderBefore : VllmGatherMlaFp8V0120 {
  SIMT_DEVICE static int64_t request_of(const GatherArguments& a, int64_t row) {
    int64_t request = 0;
    for (int64_t r = 1; r < a.requests; ++r)
      if (a.first[r] < row) request = r;
    return request;
  }
};

/// Reads an entry for each token where the keys of a block lie before its scales.
struct GatherIndexerTokenByToken : VllmGatherIndexerKV0200 {
  SIMT_DEVICE static int64_t bytes_of_token(int64_t of_elements) { return of_elements + 4; }
  SIMT_DEVICE static int64_t scales_at(int64_t /*block_size*/, int64_t position) { return position * (kCopied + 4) + kCopied; }
};

/// Distance of blocks from their shape instead of the stride.
struct GatherGapIgnored : VllmGatherMlaFp8V0120 {
  SIMT_DEVICE static const uint8_t* block_at(const GatherArguments& a, int64_t block) {
    return a.cache + block * int64_t{a.by_block.divisor} * kTokenBytes;
  }
};

// Which scale, and what is rounded.

struct GatherFirstScale : VllmGatherDsMla {
  SIMT_DEVICE static int64_t group_of(int64_t /*element*/, int /*per_scale*/) { return 0; }
};

struct GatherDivides : VllmGatherMlaFp8V0120 {
  template <class T>
  SIMT_DEVICE static T number(float code, float scale) {
    return simt::from_float<T>(code / scale);
  }
};

/// The product goes through half, as in the overload for pairs.
struct GatherThroughHalf : VllmGatherDsMla {
  template <class T>
  SIMT_DEVICE static T number(float code, float scale) {
    return simt::from_float<T>(simt::to_float(simt::from_float<simt::F16>(code * scale)));
  }
};

/// Reads the codes of one chip as those of another.
struct GatherOtherCodes : VllmGatherMlaFp8V0120 {
  using Code = NumberOfE4m3fnuz;
};

/// The code for NaN is a number like any other.
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
      of_gather<GatherTableIgnored>("gather_table_ignored", copy, "no regression known; works while a cache is filled in order"),
      of_gather<GatherNextTable>("gather_next_table", dequantize, "no regression known; an index that is one too large"),
      of_gather<GatherEmptySkipped>("gather_empty_skipped", upconvert,
                                    "pytorch 186365: results are inconsistent if a group is empty"),
      of_gather<GatherStartsOfBlocks>("gather_starts_of_blocks", dequantize,
                                      "vLLM v0.11.0 cache_kernels.cu: seq_starts / block_size"),
      of_gather<GatherStartsIgnored>("gather_starts_ignored", upconvert,
                                     "vLLM v0.24.0 cp_gather_and_upconvert_fp8_kv_cache, which has no seq_starts"),
      of_gather<GatherBorderBefore>("gather_border_before", dequantize,
                                    "no regression known; < for <= in the search of the sequence"),
      of_gather<GatherIndexerTokenByToken>("gather_indexer_token_by_token", parts,
                                           "aiter 2954: the shape [blocks, tokens, 132] taken for the layout"),
      of_gather<GatherGapIgnored>("gather_gap_ignored", dequantize,
                                  "no regression known; the distance of blocks computed from their shape"),
      of_gather<GatherFirstScale>("gather_first_scale", upconvert, "no regression known; one scale for a token"),
      of_gather<GatherDivides>("gather_divides", dequantize, "vLLM 37054: scales of the cache used the wrong way"),
      of_gather<GatherThroughHalf>("gather_through_half", upconvert,
                                   "vLLM quant_utils.cuh: the overload for float2 rounds the product to half first"),
      of_gather<GatherOtherCodes>("gather_other_codes", dequantize,
                                  "no regression known; e4m3fnuz of gfx942 where e4m3fn is stated"),
      of_gather<GatherNanIsNumber>("gather_nan_is_number", dequantize,
                                   "sglang 37140: a conversion that does not know the code of NaN"),
  };
}

}  // namespace assay_kernels
