// y = activation(first half of a row) * second half, rounded to the type of x after each operation. Each thread handles 16 bytes
// of each half.
// Source: vLLM csrc/activation_kernels.cu (00ccbd42), csrc/libtorch_stable/activation_kernels.cu (v0.24.0); PyTorch
// ActivationSiluKernel.cu.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

/// What a contract may change: the activation and the multiplication. Each deliberately wrong kernel derives from a contract and
/// changes one function.
struct ActRules {
  static constexpr bool kPacked = false;
  static constexpr bool kGateFirst = true;  ///< the first half of a row is the gate
  /// The activation as the multiplication reads it: rounded to T.
  template <class T>
  SIMT_DEVICE static float stored(float activated) {
    return simt::to_float(simt::from_float<T>(activated));
  }
  SIMT_DEVICE static float up(float u) { return u; }
};

struct VllmSiluAndMul : ActRules {
  static constexpr const char* kContract = "vllm.silu_and_mul";
  SIMT_DEVICE static float activation(float g) { return g / (1.0f + simt::exp(-g)); }
};

struct TorchSiluMul : VllmSiluAndMul {
  static constexpr const char* kContract = "torch.silu_mul";
};

/// silu as gate * sigmoid(gate); the sigmoid is computed first, by a division.
/// Source: Liger 0.8.5 src/liger_kernel/ops/swiglu.py and geglu.py.
struct LigerSwiglu : ActRules {
  static constexpr const char* kContract = "liger.swiglu";
  SIMT_DEVICE static float activation(float g) { return g * (1.0f / (1.0f + simt::exp_fast(-g))); }
};

struct VllmGeluAndMul : ActRules {
  static constexpr const char* kContract = "vllm.gelu_and_mul";
  SIMT_DEVICE static float activation(float g) { return g * 0.5f * (1.0f + simt::erf(g * 0.70710678f)); }
};

struct VllmGeluTanhAndMul : ActRules {
  static constexpr const char* kContract = "vllm.gelu_tanh_and_mul";
  SIMT_DEVICE static float activation(float g) {
    const float inner = 0.79788456f * (g + 0.044715f * (g * g * g));
    return 0.5f * g * (1.0f + simt::tanh(inner));
  }
};

struct LigerGeglu : VllmGeluTanhAndMul {
  static constexpr const char* kContract = "liger.geglu";
};

/// Adds beta = 0 to the second half (up), so a -0 there becomes +0.
template <class Rules>
struct WithBeta : Rules {
  SIMT_DEVICE static float up(float u) { return u + 0.0f; }
};
struct VllmSiluAndMulBeta : WithBeta<VllmSiluAndMul> {
  static constexpr const char* kContract = "vllm.silu_and_mul@v0.24.0";
};
struct VllmGeluAndMulBeta : WithBeta<VllmGeluAndMul> {
  static constexpr const char* kContract = "vllm.gelu_and_mul@v0.24.0";
};
struct VllmGeluTanhAndMulBeta : WithBeta<VllmGeluTanhAndMul> {
  static constexpr const char* kContract = "vllm.gelu_tanh_and_mul@v0.24.0";
};

using ActList = RulesList<VllmSiluAndMul, VllmGeluAndMul, VllmGeluTanhAndMul, VllmSiluAndMulBeta, VllmGeluAndMulBeta,
                          VllmGeluTanhAndMulBeta, TorchSiluMul, LigerSwiglu, LigerGeglu>;

inline constexpr int kActThreads = 128;

template <class Rules, class T>
SIMT_KERNEL void act_and_mul(const T* x, T* y, int64_t rows, int64_t n, bool whole, Divider by_loads) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t load = simt::block() * kActThreads + simt::thread(), row = by_loads.quotient(uint32_t(load));
  if (row >= rows) return;
  const int64_t first = (load - row * by_loads.divisor) * kElements;
  const T* const halves = x + row * 2 * n;
  float g[kElements], u[kElements];
  widen<T>(load_of_row(halves + (Rules::kGateFirst ? 0 : n), first, n, whole), g);
  widen<T>(load_of_row(halves + (Rules::kGateFirst ? n : 0), first, n, whole), u);
  simt::Vector<T> product;
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i)
    product.at[i] = simt::from_float<T>(Rules::template stored<T>(Rules::activation(g[i])) * Rules::up(u[i]));
  store_of_row(y + row * n, first, n, whole, product);
}

template <class Rules>
void run_act_and_mul(const Call& call) {
  const assay_tensor &x = call.input("x"), &y = call.output("y");
  const Shape halves = dense_matrix(x), out = dense_matrix(y);
  if (halves.columns != 2 * out.columns || halves.rows != out.rows)
    failed("y must have as many rows as x, and half as many columns");
  if (!has_type(y, x.type_code, x.type_bits)) unsupported("y must have the type of x");
  if (out.rows == 0 || out.columns == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    constexpr int64_t kElements = simt::Vector<T>::kElements;
    const int64_t loads = (out.columns + kElements - 1) / kElements;
    if (out.rows * loads > 0x7fffffff - kActThreads) unsupported("y is too large: the kernel counts 16-byte vectors in 32 bits");
    const uintptr_t addresses = reinterpret_cast<uintptr_t>(x.data) | reinterpret_cast<uintptr_t>(y.data);
    const bool whole = out.columns % kElements == 0 && addresses % 16 == 0;
    simt::launch(act_and_mul<Rules, T>, call.grid((out.rows * loads + kActThreads - 1) / kActThreads, kActThreads), data_of<T>(x),
                 static_cast<T*>(y.data), out.rows, out.columns, whole, Divider::by(uint32_t(loads)));
  });
}

}  // namespace assay_kernels
