// Calls of ops on heads and paged caches, for cuda_bandwidth.cpp: tokens that fill the buffers, blocks of 64 from the last to the
// first.
#pragma once

#include "kernels/bench/cuda_calls.h"

namespace assay_kernels {

inline constexpr int64_t kBlock = 64, kAngles = 4096;                              ///< tokens of a block; positions
inline constexpr int64_t kMlaTokens = kElements / 576 / kBlock * kBlock;           ///< of 512 and 64 numbers
inline constexpr int64_t kDsv4Tokens = kElements / 512, kKeys = kElements / 128;   ///< whole blocks
inline constexpr int64_t kQHeads = 40, kKHeads = 8, kVHeads = 8, kLongHeads = 16;  ///< of 128 numbers; of 512
inline constexpr int64_t kQkvTokens = kElements / ((kQHeads + kKHeads + kVHeads) * 128),
                         kLongTokens = kElements / (kLongHeads * 512),
                         kBothTokens = kElements / ((kLongHeads + 1) * 512) / kBlock * kBlock;  ///< of Q and KV
static_assert(kDsv4Tokens % kBlock == 0 && kKeys % kBlock == 0, "whole blocks");

/// What says where tokens stand. The same for all buffers: it is small beside them.
struct Places {
  void *slots, *positions, *angles;

  Places() {
    std::vector<int64_t> slots_host(kKeys), positions_host(kKeys);
    for (int64_t i = 0; i < kKeys; ++i) positions_host[size_t(i)] = i % kAngles;
    // Blocks of the most tokens backwards; ops with fewer tokens have slots_of().
    for (int64_t i = 0; i < kKeys; ++i) slots_host[size_t(i)] = kKeys - kBlock * (1 + i / kBlock) + i % kBlock;
    const std::vector<float> angles_host(kAngles * 128, 0.70710677f);
    slots = uploaded(slots_host), positions = uploaded(positions_host), angles = uploaded(angles_host);
  }

  /// The slots of that many tokens: the last ones of all.
  const int64_t* slots_of(int64_t tokens) const { return static_cast<const int64_t*>(slots) + (kKeys - tokens); }

 private:
  template <class T>
  static void* uploaded(const std::vector<T>& host) {
    void* data = device_memory(host.size() * sizeof(T));
    check(cudaMemcpy(data, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
    return data;
  }
};

/// slot_mapping and kv_cache; the cache lies in the buffer of y.
inline void add_cache(CallBuilder& call, const Buffers& buffers, const Places& places, int b, int64_t tokens,
                      int64_t token_bytes) {
  call.tensor("slot_mapping", {ASSAY_INT, 64}, false, {tokens}, {1}, places.slots_of(tokens), size_t(tokens) * 8);
  call.matrix("kv_cache", {ASSAY_UINT, 8}, true, tokens / kBlock, kBlock * token_bytes, buffers.y[b]);
  call.parameter("block_size", double(kBlock));
}

inline CallBuilder cache_call_of(const Op& op, const Buffers& buffers, const Places& places, int b) {
  const std::string name = op.op, contract = op.contract;
  CallBuilder call;
  if (name == "indexer_k_quant_and_cache") {
    call.matrix("k", kBf16, false, kKeys, 128, buffers.x[b]);
    add_cache(call, buffers, places, b, kKeys, 132);
  } else if (name == "dsv4_kv_insert" || name == "dsv4_kv_norm_insert") {
    call.matrix("kv", kBf16, false, kDsv4Tokens, 512, buffers.x[b]);
    if (name == "dsv4_kv_norm_insert")
      call.tensor("norm_weight", kBf16, false, {512}, {1}, buffers.gamma, 1024).parameter("eps", 1e-6);
    call.matrix("cos_sin_cache", kF32, false, kAngles, 64, places.angles);
    call.tensor("positions", {ASSAY_INT, 64}, false, {kDsv4Tokens}, {1}, places.positions, size_t(kDsv4Tokens) * 8);
    add_cache(call, buffers, places, b, kDsv4Tokens, 584);
  } else {
    const bool given = contract == "vllm.mla_fp8";
    call.matrix("kv_c", kBf16, false, kMlaTokens, 512, buffers.x[b]);
    call.matrix("k_pe", kBf16, false, kMlaTokens, 64, static_cast<const char*>(buffers.x[b]) + kMlaTokens * 1024);
    if (given) call.tensor("scale", kF32, false, {1}, {1}, buffers.given_scale, 4);
    add_cache(call, buffers, places, b, kMlaTokens, given ? 576 : 656);
  }
  return call;
}

/// Heads of Q and K in place, in the buffer of y, or those of Q from x to y.
inline CallBuilder heads_call_of(const Op& op, const Buffers& buffers, const Places& places, int b) {
  CallBuilder call;
  call.parameter("eps", 1e-6);
  const bool in_place = std::string(op.op) == "qk_norm_rope";
  const int64_t tokens = in_place ? kQkvTokens : kLongTokens;
  call.matrix("cos_sin_cache", kF32, false, kAngles, in_place ? 128 : 64, places.angles);
  call.tensor("positions", {ASSAY_INT, 64}, false, {tokens}, {1}, places.positions, size_t(tokens) * 8);
  if (in_place) {
    call.matrix("qkv", kBf16, true, tokens, (kQHeads + kKHeads + kVHeads) * 128, buffers.y[b]);
    for (const char* weight : {"q_weight", "k_weight"}) call.tensor(weight, kBf16, false, {128}, {1}, buffers.gamma, 256);
    call.parameter("q_heads", kQHeads).parameter("k_heads", kKHeads).parameter("v_heads", kVHeads);
  } else {
    call.matrix("q", kBf16, false, tokens, kLongHeads * 512, buffers.x[b]);
    call.matrix("q_out", kBf16, true, tokens, kLongHeads * 512, buffers.y[b]).parameter("q_heads", kLongHeads);
  }
  return call;
}

/// Heads of Q and the numbers of KV behind each other in the buffer of x; those of Q and the cache in that of y.
inline CallBuilder launch_call_of(const Buffers& buffers, const Places& places, int b) {
  const int64_t q_columns = kLongHeads * 512;
  const auto behind_q = [&](void* buffer) { return static_cast<char*>(buffer) + kBothTokens * q_columns * 2; };
  CallBuilder call;
  call.matrix("q", kBf16, false, kBothTokens, q_columns, buffers.x[b]);
  call.matrix("kv", kBf16, false, kBothTokens, 512, behind_q(buffers.x[b]));
  call.matrix("cos_sin_cache", kF32, false, kAngles, 64, places.angles);
  call.tensor("positions", {ASSAY_INT, 64}, false, {kBothTokens}, {1}, places.positions, size_t(kBothTokens) * 8);
  call.matrix("q_out", kBf16, true, kBothTokens, q_columns, buffers.y[b]).parameter("q_heads", kLongHeads);
  call.tensor("slot_mapping", {ASSAY_INT, 64}, false, {kBothTokens}, {1}, places.slots_of(kBothTokens), size_t(kBothTokens) * 8);
  call.matrix("kv_cache", {ASSAY_UINT, 8}, true, kBothTokens / kBlock, kBlock * 584, behind_q(buffers.y[b]));
  call.parameter("block_size", double(kBlock)).parameter("eps", 1e-6);
  return call;
}

/// Beside the inputs of tokens: a slot each, and a position where they are rotated.
inline std::vector<Op> head_ops() {
  return {{"concat_and_cache_mla, tiles of 128", "concat_and_cache_mla", "vllm.fp8_ds_mla", "concat_and_cache_mla",
           kMlaTokens * (1152 + 656 + 8)},
          {"concat_and_cache_mla, a given scale", "concat_and_cache_mla", "vllm.mla_fp8", "concat_and_cache_mla.given",
           kMlaTokens * (1152 + 576 + 8)},
          {"dsv4_kv_insert", "dsv4_kv_insert", "vllm.deepseek_v4_kv_insert", "dsv4_kv_insert", kDsv4Tokens * (1024 + 584 + 16)},
          {"dsv4_kv_norm_insert", "dsv4_kv_norm_insert", "vllm.deepseek_v4_kv_norm_insert", "dsv4_kv_norm_insert",
           kDsv4Tokens * (1024 + 584 + 16)},
          {"indexer_k_quant_and_cache", "indexer_k_quant_and_cache", "vllm.indexer_k_ue8m0", "indexer_k_quant_and_cache",
           kKeys * (256 + 132 + 8)},
          {"qk_norm_rope, 40 + 8 heads of 128", "qk_norm_rope", "vllm.fused_qk_norm_rope_neox", "qk_norm_rope",
           kQkvTokens * ((kQHeads + kKHeads) * 512 + 8)},
          {"q_norm_rope, 16 heads of 512", "q_norm_rope", "vllm.deepseek_v4_q_norm_rope", "q_norm_rope",
           kElements * 4 + kLongTokens * 8},
          {"dsv4_qnorm_kv_insert, 16 heads of 512", "dsv4_qnorm_kv_insert", "vllm.deepseek_v4_qnorm_kv_insert",
           "dsv4_qnorm_kv_insert", kBothTokens * (kLongHeads * 2048 + 1024 + 584 + 24)}};
}

}  // namespace assay_kernels
