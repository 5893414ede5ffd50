// What the cache of an indexer's keys holds. Source: vLLM csrc/libtorch_stable/cache_kernels.cu 00eb0c87,
// indexer_k_quant_and_cache_kernel.
#pragma once

#include "kernels/ops/concat_and_cache_mla/cache.h"
#include "kernels/ops/quant_group/quotients.h"

namespace assay_kernels {

inline constexpr int kKey = 128;  ///< numbers of a key, which share a scale

/// The codes of all keys of a block, behind them an fp32 scale each.
struct VllmIndexerK : PagedRules {
  static constexpr const char* kContract = "vllm.indexer_k";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr float kMost = 448.0f, kLeastAmax = 1e-4f;
  static constexpr int kTokenBytes = kKey + 4;
  template <class T>
  using Magnitude = T;  ///< what amax is taken of

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kKey; }
  SIMT_DEVICE static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * kKey + p * 4; }
  SIMT_DEVICE static float stored(float scale) { return scale; }
  SIMT_DEVICE static void store(uint32_t* to, const simt::Vector<uint32_t>& codes) { simt::store16(to, codes); }
};

/// scale_fmt "ue8m0": the power of two that the scale does not exceed.
struct VllmIndexerKUe8m0 : VllmIndexerK {
  static constexpr const char* kContract = "vllm.indexer_k_ue8m0";
  SIMT_DEVICE static float stored(float scale) { return simt::from_bits((simt::bits(scale) + 0x7fffffu) & 0xff800000u); }
};

struct VllmIndexerKFnuz : VllmIndexerK {
  static constexpr const char* kContract = "vllm.indexer_k_fnuz";
  using Codes = CodesOfQuotients<E4m3fnuzSat>;
  static constexpr float kMost = 224.0f;
};

struct VllmIndexerKUe8m0Fnuz : VllmIndexerKUe8m0 {
  static constexpr const char* kContract = "vllm.indexer_k_ue8m0_fnuz";
  using Codes = CodesOfQuotients<E4m3fnuzSat>;
  static constexpr float kMost = 224.0f;
};

}  // namespace assay_kernels
