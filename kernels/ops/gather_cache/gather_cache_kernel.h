// gather_cache: copies or dequantizes tokens of a paged KV cache to rows of y, mostly by a block table. A thread handles eight elements.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

struct GatherArguments {
  const uint8_t* cache;
  int64_t block_stride;  ///< distance between blocks in bytes; 64-bit, because a cache may exceed 2^31 bytes
  Divider by_block;      ///< divides by the tokens per block
  int64_t blocks;
  const int32_t *table, *first, *starts;  ///< block table [requests, table_columns]; first row [requests + 1]; first token [requests], or nullptr
  int64_t requests, table_columns;
  const float* scale;   ///< [1] or nullptr
  void* y;              ///< rows of converted values, or of copied codes
  float* y_scale;       ///< copied scales, or nullptr
  int64_t rows, pitch;  ///< number of rows of y, and their pitch in elements
};

inline constexpr int kGatherElements = 8, kGatherThreads = 128;

// The exact value of an 8-bit code.

template <int kExponentBits, int kBias>
SIMT_DEVICE float number_of_code(uint8_t code) {
  constexpr int kMantissa = 7 - kExponentBits;
  const uint32_t exponent = code >> kMantissa & ((1u << kExponentBits) - 1), mantissa = code & ((1u << kMantissa) - 1);
  const float magnitude = exponent == 0 ? float(mantissa) * simt::from_bits(uint32_t(128 - kBias - kMantissa) << 23)
                                        : simt::from_bits((exponent + 127 - kBias) << 23 | mantissa << (23 - kMantissa));
  return code & 0x80 ? -magnitude : magnitude;
}

struct NumberOfE4m3fn {
  SIMT_DEVICE static float of(uint8_t code) {
    return (code & 0x7f) == 0x7f ? simt::from_bits(0x7fc00000u) : number_of_code<4, 7>(code);
  }
};
struct NumberOfE4m3fnuz {
  SIMT_DEVICE static float of(uint8_t code) { return code == 0x80 ? simt::from_bits(0x7fc00000u) : number_of_code<4, 8>(code); }
};
struct NumberOfE5m2 {
  SIMT_DEVICE static float of(uint8_t code) {
    const uint32_t rest = code & 3u;
    if ((code & 0x7c) != 0x7c) return number_of_code<5, 15>(code);
    return simt::from_bits(uint32_t(code & 0x80) << 24 | (rest == 0 ? 0x7f800000u : 0x7fc00000u));
  }
};

/// Where a token lies: its block of the cache, and its index in the block.
struct CachePlace {
  const uint8_t* block;
  int64_t position;
};

/// Properties and functions that a contract may change. A deliberately wrong kernel derives from a contract's rules and changes one of them.
struct GatherRules {
  static constexpr bool kPacked = false, kByTable = true, kStarts = false, kStartsOfBlocks = false;
  static constexpr bool kCopiesScales = false;  ///< true: copies codes and scales instead of converting them
  static constexpr int kScaleElements = 0;      ///< codes that share a stored scale; 0: the input `scale` is for all codes
  static constexpr bool kPastEnd = true;        ///< true: y may have more rows than the sequences have tokens
  static constexpr bool kScaleBytes = false;    ///< true: a stored scale is one exponent byte; false: an fp32

  /// The sequence that a row of y belongs to: the last one that begins at or before the row, since sequences may be empty.
  SIMT_DEVICE static int64_t request_of(const GatherArguments& a, int64_t row) {
    int64_t request = 0;
    for (int64_t r = 1; r < a.requests; ++r)
      if (a.first[r] <= row) request = r;
    return request;
  }
  template <class Rules>
  SIMT_DEVICE static int64_t start_of(const GatherArguments& a, int64_t request) {
    if (!Rules::kStarts || a.starts == nullptr) return 0;
    const int64_t start = a.starts[request];
    return Rules::kStartsOfBlocks ? int64_t{a.by_block.quotient(uint32_t(start))} * int64_t{a.by_block.divisor} : start;
  }
  SIMT_DEVICE static int64_t block_in_cache(const GatherArguments& a, int64_t request, int64_t block) {
    return a.table[request * a.table_columns + block];
  }
  SIMT_DEVICE static const uint8_t* block_at(const GatherArguments& a, int64_t block) { return a.cache + block * a.block_stride; }
  /// Distance in bytes between successive tokens of a block, if tokens are only copied. `of_elements`: bytes of a token's elements.
  SIMT_DEVICE static int64_t bytes_of_token(int64_t of_elements) { return of_elements; }
  SIMT_DEVICE static int64_t group_of(int64_t element, int per_scale) { return element / per_scale; }
  template <class T>
  SIMT_DEVICE static T number(float code, float scale) {
    return simt::from_float<T>(code * scale);
  }
};

// Token records of each contract. Source: vllm csrc/cache_kernels.cu v0.10.2, v0.12.0 and v0.33.0.

/// A token's record is 576 codes. All tokens share one scale, which is an input.
template <class Number>
struct GatherMlaFp8 : GatherRules {
  static constexpr int kCoded = 576, kCopied = 0, kTokenBytes = 576;
  using Code = Number;
  SIMT_DEVICE static int64_t codes_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes; }
};
struct VllmGatherMlaFp8 : GatherMlaFp8<NumberOfE4m3fn> {
  static constexpr const char* kContract = "vllm.gather_mla_fp8";
  static constexpr bool kStarts = true, kStartsOfBlocks = true;
};
struct VllmGatherMlaFp8V0120 : GatherMlaFp8<NumberOfE4m3fn> {
  static constexpr const char* kContract = "vllm.gather_mla_fp8@v0.12.0";
  static constexpr bool kStarts = true;
};
struct VllmGatherMlaFp8Fnuz : GatherMlaFp8<NumberOfE4m3fnuz> {
  static constexpr const char* kContract = "vllm.gather_mla_fp8_fnuz@v0.12.0";
  static constexpr bool kStarts = true;
};
struct VllmGatherMlaE5m2 : GatherMlaFp8<NumberOfE5m2> {
  static constexpr const char* kContract = "vllm.gather_mla_fp8_e5m2@v0.12.0";
  static constexpr bool kStarts = true;
};
struct VllmConvertFp8 : GatherMlaFp8<NumberOfE4m3fn> {
  static constexpr const char* kContract = "vllm.convert_fp8";
  static constexpr bool kByTable = false, kPastEnd = false;
};

/// A token's record is 576 elements of y's type, which are copied.
struct GatherMla : GatherRules {
  static constexpr int kCoded = 0, kCopied = 576;
  using Code = NumberOfE4m3fn;
  static constexpr bool kStarts = true;
};
struct VllmGatherCache : GatherMla {
  static constexpr const char* kContract = "vllm.gather_cache";
  static constexpr bool kStartsOfBlocks = true;
};
struct VllmCpGatherCache : GatherMla {
  static constexpr const char* kContract = "vllm.cp_gather_cache";
};

/// A token's record is 512 codes, four fp32 scales (one per 128 codes), and 64 elements of 16 bits that are copied.
template <class Number>
struct GatherDsMla : GatherRules {
  static constexpr int kCoded = 512, kCopied = 64, kScaleElements = 128, kTokenBytes = 656;
  static constexpr bool kStarts = true, kPastEnd = false;
  using Code = Number;
  SIMT_DEVICE static int64_t codes_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes; }
  SIMT_DEVICE static int64_t scales_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes + kCoded; }
  SIMT_DEVICE static int64_t copied_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes + kCoded + 16; }
};
struct VllmGatherDsMla : GatherDsMla<NumberOfE4m3fn> {
  static constexpr const char* kContract = "vllm.gather_ds_mla";
};
struct VllmGatherDsMlaFnuz : GatherDsMla<NumberOfE4m3fnuz> {
  static constexpr const char* kContract = "vllm.gather_ds_mla_fnuz";
};

/// A block holds the codes of all its keys, then the scales of all its keys. Codes and scales are copied, not converted.
struct VllmGatherIndexerK : GatherRules {
  static constexpr const char* kContract = "vllm.gather_indexer_k";
  static constexpr int kCoded = 0, kCopied = 128, kScaleElements = 128;
  static constexpr bool kCopiesScales = true, kPastEnd = false;
  using Code = NumberOfE4m3fn;
  SIMT_DEVICE static int64_t scales_at(int64_t block_size, int64_t position) { return block_size * kCopied + position * 4; }
};
struct VllmGatherIndexerKV0200 : VllmGatherIndexerK {
  static constexpr const char* kContract = "vllm.gather_indexer_k@v0.20.0";
  static constexpr bool kPastEnd = true;
};

/// DeepSeek-V4: a token has 448 codes and 64 elements of 16 bits. A block ends with eight bytes per token: seven scales and a
/// padding byte. Source: vLLM v0.33.0, vllm/models/deepseek_v41/common/ops/cache_utils.py, dequantize_and_gather_k_cache.
struct VllmGatherDsv4K : GatherRules {
  static constexpr const char* kContract = "vllm.gather_dsv4_k";
  static constexpr int kCoded = 448, kCopied = 64, kScaleElements = 64, kTokenBytes = 576;
  static constexpr bool kStarts = true, kScaleBytes = true;
  using Code = NumberOfE4m3fn;
  SIMT_DEVICE static int64_t codes_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes; }
  SIMT_DEVICE static int64_t scales_at(int64_t block_size, int64_t position) { return block_size * kTokenBytes + position * 8; }
  SIMT_DEVICE static int64_t copied_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes + kCoded; }
};
/// DeepSeek-V4.1: a token has 512 codes, then their 16 scale bytes.
struct VllmGatherDsv41K : GatherRules {
  static constexpr const char* kContract = "vllm.gather_dsv41_k";
  static constexpr int kCoded = 512, kCopied = 0, kScaleElements = 32, kTokenBytes = 528;
  static constexpr bool kStarts = true, kScaleBytes = true;
  using Code = NumberOfE4m3fn;
  SIMT_DEVICE static int64_t codes_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes; }
  SIMT_DEVICE static int64_t scales_at(int64_t /*block_size*/, int64_t position) { return position * kTokenBytes + kCoded; }
};

using GatherList =
    RulesList<VllmGatherDsv4K, VllmGatherDsv41K, VllmGatherMlaFp8, VllmGatherMlaFp8V0120, VllmGatherMlaFp8Fnuz, VllmGatherMlaE5m2, VllmConvertFp8, VllmGatherCache,
              VllmCpGatherCache, VllmGatherDsMla, VllmGatherDsMlaFnuz, VllmGatherIndexerK, VllmGatherIndexerKV0200>;

SIMT_DEVICE float float_at(const uint8_t* bytes) {
  float value;
  __builtin_memcpy(&value, bytes, sizeof value);
  return value;
}

/// 2^(byte - 127). For byte 255 this is 2^128, which is Inf in fp32.
SIMT_DEVICE float power_of_byte(uint8_t byte) { return simt::from_bits(byte == 0 ? 0x00400000u : uint32_t(byte) << 23); }

template <class Rules>
SIMT_DEVICE float scale_at(const uint8_t* scales, int64_t group) {
  if constexpr (Rules::kScaleBytes) return power_of_byte(scales[group]);
  return float_at(scales + group * 4);
}

template <class Rules>
SIMT_DEVICE CachePlace place_of_row(const GatherArguments& a, int64_t row) {
  int64_t index = row, request = 0;
  if constexpr (Rules::kByTable) {
    request = Rules::request_of(a, row);
    index = row - a.first[request] + Rules::template start_of<Rules>(a, request);
  }
  const int64_t block = int64_t{a.by_block.quotient(uint32_t(index))}, position = index - block * int64_t{a.by_block.divisor};
  if constexpr (Rules::kByTable) return {Rules::block_at(a, Rules::block_in_cache(a, request, block)), position};
  return {Rules::block_at(a, block), position};
}

/// T: type of the elements of y, or uint8_t if codes are copied.
template <class Rules, class T>
SIMT_KERNEL void gather_cache(GatherArguments a, Divider by_loads) {
  const int64_t load = simt::block() * kGatherThreads + simt::thread(), row = by_loads.quotient(uint32_t(load));
  if (row >= a.rows) return;
  if constexpr (Rules::kByTable)
    if (row >= a.first[a.requests]) return;
  const int64_t first = (load - row * by_loads.divisor) * kGatherElements, size = int64_t{a.by_block.divisor};
  const CachePlace token = place_of_row<Rules>(a, row);
  T* const to = static_cast<T*>(a.y) + row * a.pitch + first;
  if constexpr (Rules::kCoded > 0) {
    if (first < Rules::kCoded) {
      const uint8_t* const codes = token.block + Rules::codes_at(size, token.position) + first;
      float scale;
      if constexpr (Rules::kScaleElements > 0)
        scale = scale_at<Rules>(token.block + Rules::scales_at(size, token.position), Rules::group_of(first, Rules::kScaleElements));
      else
        scale = a.scale[0];
      SIMT_UNROLL
      for (int i = 0; i < kGatherElements; ++i) to[i] = Rules::template number<T>(Rules::Code::of(codes[i]), scale);
      return;
    }
  }
  if constexpr (Rules::kCopied > 0) {
    const uint8_t* from = token.block + token.position * Rules::bytes_of_token(Rules::kCopied * int64_t(sizeof(T)));
    if constexpr (Rules::kCoded > 0) from = token.block + Rules::copied_at(size, token.position);
    __builtin_memcpy(to, from + (first - Rules::kCoded) * int64_t(sizeof(T)), kGatherElements * sizeof(T));
    if constexpr (Rules::kCopiesScales)
      if (first == 0) a.y_scale[row] = float_at(token.block + Rules::scales_at(size, token.position));
  }
}

/// Which tensors a contract needs, and the sizes of its rows and tokens. gather_arguments() rejects calls without these tensors.
struct GatherNeeds {
  bool by_table, starts, given_scale, copies_scales;
  int elements;            ///< elements of a row of y
  int64_t bytes_of_token;  ///< bytes of a token; a block of the cache holds block_size tokens
};
GatherArguments gather_arguments(const Call& call, GatherNeeds needs);

template <class Rules>
void run_gather_cache(const Call& call) {
  const auto run = [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = Rules::kCoded + Rules::kCopied, kLoads = kElements / kGatherElements;
    constexpr int64_t kBytes = Rules::kCoded + Rules::kCopied * int64_t(sizeof(T)) +
                               (Rules::kScaleElements > 0 ? (kElements / Rules::kScaleElements) * (Rules::kScaleBytes ? 1 : 4) : 0);
    const GatherArguments a =
        gather_arguments(call, {Rules::kByTable, Rules::kStarts, Rules::kCoded > 0 && Rules::kScaleElements == 0,
                                Rules::kCopiesScales, kElements, kBytes});
    if (a.rows == 0) return;
    if (a.rows * kLoads > 0x7fffffff - kGatherThreads) unsupported("y is too large for 32-bit indices");
    simt::launch(gather_cache<Rules, T>, call.grid((a.rows * kLoads + kGatherThreads - 1) / kGatherThreads, kGatherThreads), a,
                 Divider::by(uint32_t(kLoads)));
  };
  if constexpr (Rules::kCopiesScales)
    run(uint8_t{});
  else if constexpr (Rules::kCoded > 0 && Rules::kScaleElements > 0)
    run(simt::Bf16{});
  else
    with_type(call.output("y"), run);
}

}  // namespace assay_kernels
