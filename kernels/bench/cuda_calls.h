// The calls that cuda_bandwidth.cpp times, on rotating buffers: ops on rows, heads and paged caches.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/testing/library.h"

namespace assay_kernels {


inline constexpr int64_t kRows = 8192, kColumns = 7168, kGroup = 128, kMxBlock = 32;
inline constexpr int64_t kElements = kRows * kColumns, kGroups = kElements / kGroup;
inline constexpr int kBuffers = 4;  ///< buffers of 117 MB each, together much larger than an L2 cache

inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ? 77 : 3);
}

inline void* device_memory(size_t bytes) {
  void* data = nullptr;
  check(cudaMalloc(&data, bytes), "cudaMalloc");
  return data;
}

struct Buffers {
  void *x[kBuffers], *y[kBuffers], *q[kBuffers], *scale[kBuffers], *zero[kBuffers], *gamma;
  void *given_scale, *given_zero;
  Buffers() {
    std::vector<uint16_t> x_host(kElements), gamma_host(2 * kColumns, 0x3f80);
    uint32_t state = 1;
    for (auto& e : x_host) {  // magnitudes 2^-8 to 8; for other magnitudes the compiler's division may take its slow path
      state = state * 1664525u + 1013904223u;
      e = uint16_t((state >> 16 & 0x807fu) | (119u + (state >> 8 & 0xffu) % 11u) << 7);
    }
    gamma = device_memory(kColumns * 4);
    check(cudaMemcpy(gamma, gamma_host.data(), kColumns * 4, cudaMemcpyHostToDevice), "upload");
    const float scale_host = 0.037f;
    const int32_t zero_host = 3;
    given_scale = device_memory(4), given_zero = device_memory(4);
    check(cudaMemcpy(given_scale, &scale_host, 4, cudaMemcpyHostToDevice), "upload");
    check(cudaMemcpy(given_zero, &zero_host, 4, cudaMemcpyHostToDevice), "upload");
    for (int b = 0; b < kBuffers; ++b) {
      x[b] = device_memory(kElements * 2);
      y[b] = device_memory(kElements * 2);
      q[b] = device_memory(kElements);
      scale[b] = device_memory(kGroups * 4);
      zero[b] = device_memory(kRows * 4);
      check(cudaMemcpy(x[b], x_host.data(), kElements * 2, cudaMemcpyHostToDevice), "upload");
    }
  }
};

struct Op {
  const char *title, *op, *contract, *kernel;
  /// bytes that must cross the memory bus: each input and output once, but x twice if a scale depends on all of x
  int64_t bytes;
  int64_t scale_rows = 0, scale_columns = 0;  ///< set for ops whose scales are neither per token nor per group of 128
  bool mn_major = false;                      ///< scales are packed and column-major
  bool tiled = false;                         ///< byte scales (MXFP8) are in 128 x 4 tiles
};

/// Scale packing reads the bytes of x as fp32 scales.
inline constexpr int64_t kScales = kElements / 2, kScaleColumns = kColumns / 2;

inline CallBuilder packing_of(const Op& op, const Buffers& buffers, int b) {
  const bool words = std::string(op.contract).find("ue8m0") != std::string::npos;
  CallBuilder call;
  call.tensor("x", kF32, false, {kRows, kScaleColumns},
              op.mn_major ? std::vector<int64_t>{1, kRows} : std::vector<int64_t>{kScaleColumns, 1}, buffers.x[b],
              size_t(kScales) * 4);
  const int64_t columns = words ? kScaleColumns / 4 : kScaleColumns;
  call.tensor("scale", words ? kInt32 : kF32, true, {kRows, columns}, {1, kRows}, buffers.y[b], size_t(kRows * columns) * 4);
  return call;
}

/// Call of an MXFP8 op with byte scales, row-major or in 128 x 4 tiles.
inline CallBuilder mx_of(const Op& op, const Buffers& buffers, int b) {
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, buffers.x[b]).matrix("q", kE4m3fn, true, kRows, kColumns, buffers.q[b]);
  call.matrix("scale", kE8m0, true, kRows, kColumns / kMxBlock, buffers.scale[b]).parameter("group_size", double(kMxBlock));
  if (op.tiled) call.parameter("scale_tile_rows", 128).parameter("scale_tile_columns", 4);
  return call;
}

/// Gate and up are the two halves of a row, so the output has half as many columns.
inline CallBuilder gated_of(const Op&, const Buffers& buffers, int b) {
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows / 2, kColumns * 2, buffers.x[b]);
  call.matrix("q", kE4m3fn, true, kRows / 2, kColumns, buffers.q[b]).parameter("group_size", double(kGroup));
  call.matrix("scale", kF32, true, kRows / 2, kColumns / kGroup, buffers.scale[b]);
  return call;
}

/// Call of a norm, alone or followed by quantization. The residual is in the buffer of y. A norm with a residual writes y over x, as in
/// vLLM.
inline CallBuilder norm_of(const Op& op, const Buffers& buffers, int b) {
  const std::string name = op.op, contract = op.contract;
  const auto is = [&](const char* word) { return contract.find(word) != std::string::npos; };
  const bool adds = is("add_rms");
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, buffers.x[b]);
  call.tensor("gamma", kBf16, false, {kColumns}, {1}, buffers.gamma, kColumns * 2).parameter("eps", 1e-6);
  if (adds) call.matrix("residual", kBf16, true, kRows, kColumns, buffers.y[b]);
  if (name == "rms_norm" || name == "fused_add_rms_norm") {
    call.matrix("y", kBf16, true, kRows, kColumns, adds ? buffers.x[b] : buffers.y[b]);
    return call;
  }
  call.matrix("q", is("int8") ? kInt8 : kE4m3fn, true, kRows, kColumns, buffers.q[b]);
  if (name == "rms_norm_quant_static") {
    call.matrix("scale", kF32, false, 1, 1, buffers.given_scale);
    return call;
  }
  const int64_t groups = is("per_token") ? 1 : kColumns / kGroup;
  call.parameter("group_size", double(kColumns / groups));
  if (is("packed"))
    call.tensor("scale", kInt32, true, {kRows, groups / 4}, {1, kRows}, buffers.scale[b], size_t(kGroups));
  else
    call.matrix("scale", kF32, true, kRows, groups, buffers.scale[b]);
  return call;
}

/// Weights are fp32 in FlashInfer's contracts and have the type of x in TensorRT-LLM's.
inline CallBuilder layer_norm_of(const Op& op, const Buffers& buffers, int b) {
  const bool wide = std::string(op.contract).rfind("flashinfer", 0) == 0;
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, buffers.x[b]).matrix("y", kBf16, true, kRows, kColumns, buffers.y[b]);
  for (const char* weights : {"gamma", "beta"})
    call.tensor(weights, wide ? kF32 : kBf16, false, {kColumns}, {1}, buffers.gamma, kColumns * (wide ? 4 : 2));
  call.parameter("eps", 1e-6);
  return call;
}

inline CallBuilder call_of(const Op& op, const Buffers& buffers, int b) {
  const std::string name = op.op, contract = op.contract;
  if (name == "pack_scales") return packing_of(op, buffers, b);
  if (name == "silu_mul_quant_group") return gated_of(op, buffers, b);
  if (std::string(op.kernel) == "quant_mx") return mx_of(op, buffers, b);
  if (name == "layer_norm") return layer_norm_of(op, buffers, b);
  if (name.find("rms_norm") != std::string::npos) return norm_of(op, buffers, b);
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, buffers.x[b]);
  if (name == "cast") {
    call.matrix("q", kE4m3fn, true, kRows, kColumns, buffers.q[b]);
    return call;
  }
  if (op.scale_rows > 0) {
    call.matrix("q", kE4m3fn, true, kRows, kColumns, buffers.q[b]);
    call.matrix("scale", kF32, name == "quant_tile", op.scale_rows, op.scale_columns, buffers.scale[b]);
    return call;
  }
  const auto is = [&](const char* word) { return contract.find(word) != std::string::npos; };
  const Type code = is("int8") ? kInt8 : kE4m3fn;
  if (name == "quant_static") {
    call.matrix("scale", kF32, false, 1, 1, buffers.given_scale).matrix("q", code, true, kRows, kColumns, buffers.q[b]);
    if (is("azp")) call.matrix("azp", kInt32, false, 1, 1, buffers.given_zero);
    return call;
  }
  if (name == "quant_azp") call.matrix("azp", kInt32, true, kRows, 1, buffers.zero[b]);
  call.matrix("q", code, true, kRows, kColumns, buffers.q[b]).parameter("group_size", double(kGroup));
  const int64_t groups = is(".per_token") ? 1 : kColumns / kGroup;
  if (!is("packed")) {
    call.matrix("scale", kF32, true, kRows, groups, buffers.scale[b]);
  } else {
    call.tensor("scale", kInt32, true, {kRows, groups / 4}, {1, kRows}, buffers.scale[b], size_t(kGroups));
  }
  return call;
}

// Calls of ops on heads and paged caches: enough tokens to fill the buffers, with blocks of 64 in descending order.

inline constexpr int64_t kBlock = 64, kAngles = 4096;                              ///< tokens per block; number of positions
inline constexpr int64_t kMlaTokens = kElements / 576 / kBlock * kBlock;           ///< rows of 512 + 64 elements
inline constexpr int64_t kDsv4Tokens = kElements / 512, kKeys = kElements / 128;   ///< whole blocks
inline constexpr int64_t kQHeads = 40, kKHeads = 8, kVHeads = 8, kLongHeads = 16;  ///< heads of 128 elements; long heads of 512
inline constexpr int64_t kQkvTokens = kElements / ((kQHeads + kKHeads + kVHeads) * 128),
                         kLongTokens = kElements / (kLongHeads * 512),
                         kBothTokens = kElements / ((kLongHeads + 1) * 512) / kBlock * kBlock;  ///< tokens with Q and KV
static_assert(kDsv4Tokens % kBlock == 0 && kKeys % kBlock == 0, "whole blocks");

/// Positions and slots of the tokens. All buffers share them, because they are small.
struct Places {
  void *slots, *positions, *angles;

  Places() {
    std::vector<int64_t> slots_host(kKeys), positions_host(kKeys);
    for (int64_t i = 0; i < kKeys; ++i) positions_host[size_t(i)] = i % kAngles;
    // Slots for the largest number of tokens, with blocks in descending order. Ops with fewer tokens use slots_of().
    for (int64_t i = 0; i < kKeys; ++i) slots_host[size_t(i)] = kKeys - kBlock * (1 + i / kBlock) + i % kBlock;
    const std::vector<float> angles_host(kAngles * 128, 0.70710677f);
    slots = uploaded(slots_host), positions = uploaded(positions_host), angles = uploaded(angles_host);
  }

  /// Slots for `tokens` tokens: the end of the list.
  const int64_t* slots_of(int64_t tokens) const { return static_cast<const int64_t*>(slots) + (kKeys - tokens); }

 private:
  template <class T>
  static void* uploaded(const std::vector<T>& host) {
    void* data = device_memory(host.size() * sizeof(T));
    check(cudaMemcpy(data, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
    return data;
  }
};

/// Adds slot_mapping and kv_cache; the cache lies in the buffer of y.
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

/// A call of an op on heads. qk_norm_rope overwrites Q and K in the buffer of y. The other ops read Q from x and write to y.
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

/// DeepSeek-V4's launch for Q and KV. The buffer of x holds q, then kv; the buffer of y holds q_out, then kv_cache.
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

/// Bytes per token: inputs, outputs, 8 bytes for the slot, and 8 bytes for the position if the op rotates.
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
