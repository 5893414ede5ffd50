// The calls that cuda_bandwidth.cpp times, on buffers that rotate.
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
inline constexpr int kBuffers = 4;  ///< of 117 MB each: together well above any L2

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
    for (auto& e : x_host) {  // magnitudes of activations, 2^-8 to 8: a division of other numbers may take a compiler's slow path
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
  int64_t bytes;  ///< that must cross the memory bus: every input once, every output once, and x twice for one scale of all
  int64_t scale_rows = 0, scale_columns = 0;  ///< of ops whose scales are neither a token's nor those of groups of 128
  bool mn_major = false;                      ///< scales that are packed
  bool tiled = false;                         ///< bytes of scales
};

/// x as fp32 scales, as many as its bytes hold.
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

/// MXFP8: bytes of scales, row-major or in tiles of 128 x 4.
inline CallBuilder mx_of(const Op& op, const Buffers& buffers, int b) {
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, buffers.x[b]).matrix("q", kE4m3fn, true, kRows, kColumns, buffers.q[b]);
  call.matrix("scale", kE8m0, true, kRows, kColumns / kMxBlock, buffers.scale[b]).parameter("group_size", double(kMxBlock));
  if (op.tiled) call.parameter("scale_tile_rows", 128).parameter("scale_tile_columns", 4);
  return call;
}

/// Gate and up are the halves of a row: half as many rows of codes.
inline CallBuilder gated_of(const Op&, const Buffers& buffers, int b) {
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows / 2, kColumns * 2, buffers.x[b]);
  call.matrix("q", kE4m3fn, true, kRows / 2, kColumns, buffers.q[b]).parameter("group_size", double(kGroup));
  call.matrix("scale", kF32, true, kRows / 2, kColumns / kGroup, buffers.scale[b]);
  return call;
}

/// Norms, before a quantization or alone. A residual lies in the buffer of y; a norm that adds one then writes y over x, as vLLM's
/// does.
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

/// Weights in fp32 for FlashInfer and in the type of x for TensorRT-LLM.
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

}  // namespace assay_kernels
