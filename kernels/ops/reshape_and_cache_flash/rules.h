// What the cache of attention holds. Source: vLLM v0.33.0 csrc/cache_kernels.cu, reshape_and_cache_flash_kernel.
#pragma once

#include "kernels/ops/concat_and_cache_mla/cache.h"
#include "kernels/ops/quant_group/quotients.h"

namespace assay_kernels {

inline constexpr int kHeads = 8, kHeadSize = 128;         ///< of K, and of V
inline constexpr int kHeadsNumbers = kHeads * kHeadSize;  ///< of a token in K, and in V

/// Codes of the heads of K and then those of V; one scale of each.
struct VllmFlashFp8 : PagedRules {
  static constexpr const char* kContract = "vllm.flash_fp8";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr int kTokenBytes = 2 * kHeadsNumbers;

  SIMT_DEVICE static int64_t head_at(int64_t p, int64_t /*block_size*/, int head) { return p * kHeadsNumbers + head * kHeadSize; }
  SIMT_DEVICE static float scale(const float* of_k, const float* of_v, bool is_value, int /*head*/) {
    return *(is_value ? of_v : of_k);
  }
};

/// A scale of each head.
struct VllmFlashFp8Heads : VllmFlashFp8 {
  static constexpr const char* kContract = "vllm.flash_fp8_heads";
  SIMT_DEVICE static float scale(const float* of_k, const float* of_v, bool is_value, int head) {
    return (is_value ? of_v : of_k)[head];
  }
};

/// Heads in front of tokens.
template <class Scales>
struct WithHeadsFirst : Scales {
  SIMT_DEVICE static int64_t head_at(int64_t p, int64_t block_size, int head) { return (head * block_size + p) * kHeadSize; }
};
struct VllmFlashFp8Hnd : WithHeadsFirst<VllmFlashFp8> {
  static constexpr const char* kContract = "vllm.flash_fp8_hnd";
};
struct VllmFlashFp8HndHeads : WithHeadsFirst<VllmFlashFp8Heads> {
  static constexpr const char* kContract = "vllm.flash_fp8_hnd_heads";
};

}  // namespace assay_kernels
