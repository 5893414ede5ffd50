// LayerNorm: subtracts the mean of a row, then divides by the standard deviation. One thread block per row.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/rms_norm/rms_norm_kernel.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// What a layer_norm contract may change.

struct LayerRules {
  static constexpr bool kOnePass = false;             ///< computes the variance as the mean of x^2 minus the squared mean
  static constexpr bool kRoundsBeforeWeight = false;  ///< rounds the normalized element to the type of x, then multiplies by gamma
  /// Barrier between the warps' writes of their sums to shared memory and the reads of these sums.
  SIMT_DEVICE static void published() { simt::barrier(); }
  SIMT_DEVICE static float mean(float sum, float n) { return sum / n; }
  /// The value whose square is summed for the variance. Not used with kOnePass, which sums x^2.
  SIMT_DEVICE static float deviation(float x, float mean) { return x - mean; }
  SIMT_DEVICE static float centered(float x, float mean) { return x - mean; }
  /// The variance of a row of n elements. `squares`: the sum of squared deviations, or, with kOnePass, the sum of x^2.
  SIMT_DEVICE static float variance(float squares, float n, float /*mean*/) { return squares / n; }
  SIMT_DEVICE static float factor(float variance, float eps) { return simt::rsqrt(variance + eps); }
  SIMT_DEVICE static float weighted(float v, float gamma, float beta) { return v * gamma + beta; }
};

/// Source: FlashInfer flashinfer/norm/kernels/layernorm.py (10bccd2c).
struct FlashinferLayerNorm : LayerRules {
  static constexpr const char* kContract = "flashinfer.layer_norm";
};

/// Source: TensorRT-LLM cpp/tensorrt_llm/kernels/layernormKernels.cu (071e5d8c), generalLayerNorm.
struct TrtllmLayerNorm : LayerRules {
  static constexpr const char* kContract = "trtllm.layer_norm";
};

/// TrtllmLayerNorm with USE_DIFF_OF_SQUARES.
struct TrtllmLayerNormSquares : LayerRules {
  static constexpr const char* kContract = "trtllm.layer_norm_squares";
  static constexpr bool kOnePass = true;
  SIMT_DEVICE static float variance(float squares, float n, float mean) { return squares / n - mean * mean; }
};

// The row of a thread block, for code that goes over the row several times. for_each() passes the row's loads to this code one by one.

/// The row is kept in registers, in kLoads aligned 16-byte loads per thread.
template <class T, int kLoads>
class LoadsOfRow {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = true;

  SIMT_DEVICE LoadsOfRow(const T* row, int n) {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) kept_[k] = load_of_row(row, first_of(k), n, true);
  }

  /// Calls f(first, v) for each load of the thread. v: its elements in fp32, zero beyond the row's end; v[0] is element `first`.
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      float v[kElements];
      widen<T>(kept_[k], v);
      f(first_of(k), v);
    }
  }

 private:
  SIMT_DEVICE static int first_of(int k) { return (k * simt::block_size() + simt::thread()) * kElements; }

  simt::Vector<uint32_t> kept_[kLoads];
};

/// A row of any length and alignment. Each call of for_each() reads it from memory again.
template <class T>
class LoadsOfRow<T, 0> {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = false;

  SIMT_DEVICE LoadsOfRow(const T* row, int n) : row_(row), n_(n) {}

  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    for (int first = simt::thread() * kElements; first < n_; first += simt::block_size() * kElements) {
      float v[kElements];
      widen<T>(load_of_row(row_, first, n_, false), v);
      f(first, v);
    }
  }

 private:
  const T* row_;
  int n_;
};

/// The weights of the elements of one load of T, in fp32. They are stored as W, which may differ from T.
template <class T, class W>
SIMT_DEVICE void widen_weights(const W* weights, int first, int n, bool whole, float (&v)[simt::Vector<T>::kElements]) {
  constexpr int kPart = simt::Vector<W>::kElements;
  SIMT_UNROLL
  for (int part = 0; part < simt::Vector<T>::kElements; part += kPart) {
    float w[kPart];
    widen<W>(load_of_row(weights, first + part, n, whole), w);
    SIMT_UNROLL
    for (int i = 0; i < kPart; ++i) v[part + i] = w[i];
  }
}

// y = (x - mean(x)) / sqrt(variance(x) + eps) * gamma + beta, one thread block per row.

template <class T, class W>
struct LayerArguments {
  const T* x;
  const W *gamma, *beta;
  int64_t pitch;  ///< row pitch of x in elements
  int32_t n;
  float eps;
};

/// Sum over the threads of the block, in the order of block_factor() (rms_norm_kernel.h). kCall: as in simt::block_reduce().
template <class Rules, int kWarp, int kCall>
SIMT_DEVICE float block_sum(float value) {
  return simt::block_reduce<kWarp, kCall>(
      value, 0.0f, [](float a, float b) { return a + b; }, [] { Rules::published(); });
}

/// Sums the elements for the mean, then the squared deviations; with Rules::kOnePass, both sums in one pass. kLoads > 0: a thread
/// keeps kLoads loads in registers. kLoads == 0: the row has any length and alignment, and each pass reads it again.
template <class Rules, class T, class W, int kWarp, int kLoads>
SIMT_KERNEL void layer_norm(LayerArguments<T, W> a, T* y) {
  using Row = LoadsOfRow<T, kLoads>;
  constexpr int kElements = Row::kElements;
  const Row row(a.x + simt::block() * a.pitch, a.n);
  float sum = 0.0f, squares = 0.0f;
  row.for_each([&](int /*first*/, const float(&v)[kElements]) {
    sum += tree_sum<0, kElements>([&](int i) { return v[i]; });
    if (Rules::kOnePass) squares += tree_sum<0, kElements>([&](int i) { return v[i] * v[i]; });
  });
  const float n = float(a.n), mean = Rules::mean(block_sum<Rules, kWarp, 0>(sum), n);
  if (!Rules::kOnePass) {
    row.for_each([&](int first, const float(&v)[kElements]) {
      float d[kElements];
      SIMT_UNROLL
      for (int i = 0; i < kElements; ++i)
        d[i] = first + i < a.n ? Rules::deviation(v[i], mean) : 0.0f;  // v is 0 beyond the row's end; 0 - mean must not count
      squares += tree_sum<0, kElements>([&](int i) { return d[i] * d[i]; });
    });
  }
  const float r = Rules::factor(Rules::variance(block_sum<Rules, kWarp, 1>(squares), n, mean), a.eps);
  row.for_each([&](int first, float(&v)[kElements]) {
    float gamma[kElements], beta[kElements];
    widen_weights<T>(a.gamma, first, a.n, Row::kWhole, gamma);
    widen_weights<T>(a.beta, first, a.n, Row::kWhole, beta);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::centered(v[i], mean) * r;
    if (Rules::kRoundsBeforeWeight) widen<T>(words_of(rounded<T>(v)), v);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::weighted(v[i], gamma[i], beta[i]);
    store_of_row(y + simt::block() * a.n, first, a.n, Row::kWhole, rounded<T>(v));
  });
}

// Host side: checks a layer_norm call, and launches its kernel.

/// gamma and beta are fp32 or have the type of x.
template <class Rules>
void run_layer_norm(const Call& call) {
  const assay_tensor &x = call.input("x"), &gamma = call.input("gamma"), &beta = call.input("beta"), &y = call.output("y");
  const Shape shape = matrix_of_rows(x);
  expect_matrix(y, shape);
  expect_vector(gamma, shape.columns, gamma);
  expect_vector(beta, shape.columns, gamma);
  if (shape.columns > 0x7fffffff) unsupported("x must have at most 2^31 - 1 columns");
  if (!has_type(y, x.type_code, x.type_bits)) unsupported("y must have the type of x");
  bool whole = lies_in_sixteens(x, x.strides[0]);
  for (const assay_tensor* dense : {&y, &gamma, &beta}) whole = whole && lies_in_sixteens(*dense, shape.columns);
  if (shape.rows == 0) return;
  const int64_t loads = (shape.columns * x.type_bits / 8 + 15) / 16;
  const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
  const auto launch = [&](auto type, auto weight) {
    using T = decltype(type);
    using W = decltype(weight);
    const LayerArguments<T, W> arguments{data_of<T>(x), data_of<W>(gamma),      data_of<W>(beta),
                                         x.strides[0],  int32_t(shape.columns), float(call.number("eps"))};
    with_warp(call, [&](auto warp) {
      with_row<8>(loads, grid.threads, whole, [&](auto each) {
        simt::launch(layer_norm<Rules, T, W, decltype(warp)::value, decltype(each)::value>, grid, arguments,
                     static_cast<T*>(y.data));
      });
    });
  };
  with_type(x, [&](auto type) {
    if (has_type(gamma, ASSAY_FLOAT, 32)) return launch(type, float{});
    if (!has_type(gamma, x.type_code, x.type_bits)) unsupported("gamma and beta must be fp32 or have the type of x");
    if constexpr (!std::is_same_v<decltype(type), float>) launch(type, type);
  });
}

}  // namespace assay_kernels
