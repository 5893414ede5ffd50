// y = x / sqrt(mean(x^2) + eps) * gamma, one thread block per row. With a residual, x + residual is normalized and is also stored
// in the residual's tensor.
#pragma once

#include <type_traits>

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/rms_norm/rms_norm_rules.h"

namespace assay_kernels {

// Arguments of a norm, and how the host gets them from a call.

/// Arguments of a kernel with one thread block per row.
template <class T>
struct NormArguments {
  const T* x;
  T* residual;  ///< contiguous rows of n elements; nullptr if no residual is added
  const T* gamma;
  int64_t pitch;  ///< row pitch of x in elements
  int32_t n;
  float eps;
  const T* gate = nullptr;  ///< contiguous rows of n elements; nullptr without a gate
};

/// The checked inputs of a call. Rows of x may begin any distance apart; gamma, the residual and the gate must be dense.
struct NormInputs {
  explicit NormInputs(const Call& call, bool adds, bool gates = false);

  template <class T>
  NormArguments<T> arguments() const {
    return {data_of<T>(x),
            residual ? static_cast<T*>(residual->data) : nullptr,
            data_of<T>(gamma),
            x.strides[0],
            int32_t(shape.columns),
            eps,
            gate ? data_of<T>(*gate) : nullptr};
  }
  /// Number of 16-byte loads per row; the last one may be partly beyond the row's end.
  int64_t loads() const { return (shape.columns * x.type_bits / 8 + 15) / 16; }

  const assay_tensor &x, &gamma;
  const assay_tensor *residual, *gate;
  Shape shape;
  float eps;
  bool in_sixteens;  ///< every row is a whole number of aligned 16-byte loads
};

/// True if the data are aligned to 16 bytes and `pitch` elements are a whole number of 16-byte loads.
bool lies_in_sixteens(const assay_tensor& tensor, int64_t pitch);

/// Rejects the call unless the tensor is dense with the shape of x. Returns true if it meets NormInputs::in_sixteens.
bool expect_rows_of(const assay_tensor& tensor, const NormInputs& inputs);

/// Largest number of loads per thread that are kept in registers: kMost, or less in builds that only check compilation.
template <int kMost>
inline constexpr int kMostKept = kEachNumberOfLoads ? kMost : kMost / 4;

/// Calls f with the number of loads that a thread keeps in registers. The number is 0, so each pass reads the row again, if rows are
/// not `whole` (aligned 16-byte loads) or take more than kMostKept loads per thread. A kernel is compiled for each number.
template <int kMost, class F>
void with_row(int64_t loads, int threads, bool whole, F f) {
  constexpr int kKept = kMostKept<kMost>;
  if (!whole || loads > int64_t{kKept} * threads) return f(std::integral_constant<int, 0>{});
  if constexpr (kEachNumberOfLoads) {
    with_loads(loads, threads, [&](auto each) {
      if constexpr (decltype(each)::value <= kMost) f(each);
    });
  } else {
    f(std::integral_constant<int, kKept>{});
  }
}

// Normalization of a row by a thread block, for norms with and without quantization.

/// Rounds the fp32 elements of one load to T, by the rounding of Store.
template <class T, class Store = StoreNearest>
SIMT_DEVICE simt::Vector<T> rounded(const float (&v)[simt::Vector<T>::kElements]) {
  simt::Vector<T> result;
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; i += 2) Store::pair(v[i], v[i + 1], result.at[i], result.at[i + 1]);
  return result;
}

/// If the norm rounds its output before quantization: rounds v to T. Otherwise leaves v unchanged.
template <class Norm, class T>
SIMT_DEVICE void round_output(float (&v)[simt::Vector<T>::kElements]) {
  if (Norm::kRoundsOutput) widen<T>(words_of(rounded<T, typename Norm::Store>(v)), v);
}

/// Computes r = rsqrt(mean(x^2) + eps); `sum` is the thread's sum of squares. Adds in vLLM's order: a thread's elements in order,
/// then lanes, then warps. With k elements per load, the depth is at most k * ceil(n / (k * threads)) - 1 + log2(kWarp) + 3
/// additions: 39 for rows of 7168 16-bit elements and 8 warps of 32.
template <class Rules, int kWarp>
SIMT_DEVICE float block_factor(float sum, int n, float eps) {
  sum = simt::block_reduce<kWarp>(
      sum, 0.0f, [](float a, float b) { return a + b; }, [] { Rules::published(); });
  return Rules::factor(Rules::mean(sum, float(n)), Rules::share(eps, float(n)));
}

/// The elements of one load of T, in fp32.
template <class T>
struct Widened {
  float at[simt::Vector<T>::kElements];
};

/// What a thread keeps of a load after squaring: x + residual in fp32 if the norm uses it unrounded, otherwise 16 bytes of T.
template <class Rules, class T>
using Held = std::conditional_t<Rules::kAdds && !Rules::kNormalizesRounded, Widened<T>, simt::Vector<uint32_t>>;

template <class T>
SIMT_DEVICE void in_fp32(const Widened<T>& held, float (&v)[simt::Vector<T>::kElements]) {
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] = held.at[i];
}
template <class T>
SIMT_DEVICE void in_fp32(const simt::Vector<uint32_t>& held, float (&v)[simt::Vector<T>::kElements]) {
  widen<T>(held, v);
}

/// v = x * r * gamma for the elements of a load, without rounding the last product to T.
template <class Rules, class T, class Held>
SIMT_DEVICE void normalize(const Held& held, float r, const simt::Vector<uint32_t>& gamma,
                           float (&v)[simt::Vector<T>::kElements]) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float weight[kElements];
  in_fp32<T>(held, v);
  widen<T>(gamma, weight);
  if constexpr (Rules::kWeightFirst) {
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] *= weight[i];
    if (Rules::kRoundsBeforeFactor) widen<T>(words_of(rounded<T>(v)), v);
    SIMT_UNROLL
    for (float& each : v) each *= r;
  } else {
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::kept(Rules::kept(v[i]) * r);
    if (Rules::kRoundsBeforeWeight) widen<T>(words_of(rounded<T>(v)), v);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::kept(v[i] * Rules::weight(weight[i]));
  }
}

/// Multiplies each v[i] by Rules::gate(g[i]), where g are the elements of the gate tensor.
template <class Rules, class T>
SIMT_DEVICE void multiply_by_gate(const simt::Vector<uint32_t>& gate, float (&v)[simt::Vector<T>::kElements]) {
  float g[simt::Vector<T>::kElements];
  widen<T>(gate, g);
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] *= Rules::gate(g[i]);
}

/// x * r * gamma rounded to T, as packed words. If the norm rounds x * r to T first, packed multiplications of T are used. They
/// give the same result, because a product of two values of T is exact in fp32.
template <class Rules, class T, class Held>
SIMT_DEVICE simt::Vector<uint32_t> normalized_words(const Held& held, float r, const simt::Vector<uint32_t>& gamma) {
  using Store = typename Rules::Store;
  float v[simt::Vector<T>::kElements];
  if constexpr (Rules::kRoundsBeforeWeight && Rules::kPlainWeights && std::is_same_v<Store, StoreNearest>) {
    in_fp32<T>(held, v);
    SIMT_UNROLL
    for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] *= r;
    simt::Vector<uint32_t> words = words_of(rounded<T>(v));
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) words.at[i] = simt::multiply_pairs<T>(words.at[i], gamma.at[i]);
    return words;
  } else {
    normalize<Rules, T>(held, r, gamma, v);
    return words_of(rounded<T, Store>(v));
  }
}

/// Adds the squares of the load at column `first` to `sum`. Returns the elements as normalize() expects them. With a residual, sets
/// `stored` to x + residual, rounded to T.
template <class Rules, class T>
SIMT_DEVICE Held<Rules, T> square_load(int first, const simt::Vector<uint32_t>& x, const simt::Vector<uint32_t>& residual,
                                       float& sum, simt::Vector<T>& stored) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float v[kElements], rest[kElements], narrow[kElements];
  widen<T>(x, v);
  if (Rules::kAdds) {
    widen<T>(residual, rest);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::sum(v[i], rest[i]);
    stored = rounded<T, typename Rules::Store>(v);
    widen<T>(words_of(stored), narrow);
  }
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float z = Rules::kAdds && Rules::kSquaresRounded ? narrow[i] : v[i];
    sum += Rules::template square<T>(z);
  }
  if constexpr (std::is_same_v<Held<Rules, T>, Widened<T>>) {
    Widened<T> wide;
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) wide.at[i] = Rules::normalizes_stored(first + i) ? narrow[i] : v[i];
    return wide;
  } else {
    return Rules::kAdds ? words_of(stored) : x;
  }
}

// The row of a thread block and its factor r. A thread's part of the row consists of runs of kRun consecutive loads; adjacent
// threads have adjacent runs. Norms with a gate use for_each(), which does not round to T.

/// Keeps the row in registers, kLoads aligned 16-byte loads per thread. The constructor stores x + residual over the residual.
/// This is safe, because each load of the residual is overwritten by the thread that read it.
template <class Rules, class T, int kWarp, int kLoads, int kRun = 1>
class NormalizedRow {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = true;
  static constexpr int kKept = kLoads;

  SIMT_DEVICE explicit NormalizedRow(const NormArguments<T>& a)
      : gamma_(a.gamma), gate_(a.gate + simt::block() * (Rules::kGates ? a.n : 0)), n_(a.n) {
    const T* x = a.x + simt::block() * Rules::pitch(a.pitch, a.n);
    T* residual = a.residual + simt::block() * (Rules::kAdds ? a.n : 0);
    const int covered = Rules::covered(a.n, kElements, simt::block_size());
    // All loads are issued before the first addition, so that they are in flight together.
    simt::Vector<uint32_t> mine[kLoads], other[kLoads];
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const int first = load_of(k) * kElements;
      mine[k] = load_of_row(x, first, covered, true);
      if (Rules::kAdds) other[k] = load_of_row(residual, first, covered, true);
    }
    float sum = 0.0f;
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const int first = load_of(k) * kElements;
      simt::Vector<T> stored;
      row_[k] = square_load<Rules, T>(first, mine[k], other[k], sum, stored);
      if (Rules::kAdds && Rules::stores_residual()) store_of_row(residual, first, n_, true, stored);
    }
    r_ = block_factor<Rules, kWarp>(sum, a.n, a.eps);
  }

  /// Calls f(first, v) for each run of the thread: v are kRun normalized loads before their last rounding, zero beyond the row's
  /// end; `first` is the index of v's first element. All threads of the block make equally many calls.
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; k += kRun) {
      const int first = load_of(k) * kElements;
      float v[kRun][kElements];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) {
        normalize<Rules, T>(row_[k + j], r_, load_of_row(gamma_, first + j * kElements, n_, true), v[j]);
        if constexpr (Rules::kGates) multiply_by_gate<Rules, T>(load_of_row(gate_, first + j * kElements, n_, true), v[j]);
      }
      f(first, v);
    }
  }

  /// Calls f(first, words) for each run of the thread. The words are its normalized elements, rounded to T.
  template <class F>
  SIMT_DEVICE void for_each_rounded(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; k += kRun) {
      const int first = load_of(k) * kElements;
      simt::Vector<uint32_t> words[kRun];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j)
        words[j] = normalized_words<Rules, T>(row_[k + j], r_, load_of_row(gamma_, first + j * kElements, n_, true));
      f(first, words);
    }
  }

  SIMT_DEVICE void finish() const {}

 private:
  SIMT_DEVICE static int load_of(int k) { return (k / kRun * simt::block_size() + simt::thread()) * kRun + k % kRun; }

  Held<Rules, T> row_[kLoads];
  const T *gamma_, *gate_;
  int n_;
  float r_;
};

/// A row of any length and alignment. Each for_each() reads it again. finish() then stores x + residual over the residual.
template <class Rules, class T, int kWarp, int kRun>
class NormalizedRow<Rules, T, kWarp, 0, kRun> {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = false;
  static constexpr int kKept = 0;

  SIMT_DEVICE explicit NormalizedRow(const NormArguments<T>& a) : a_(a) {
    a_.x += simt::block() * Rules::pitch(a.pitch, a.n);
    if (Rules::kAdds) a_.residual += simt::block() * a.n;
    if (Rules::kGates) a_.gate += simt::block() * a.n;
    float sum = 0.0f;
    simt::Vector<T> stored;
    for (int first = first_of_thread(); first < a.n; first += step())
      for (int j = 0; j < kRun; ++j) read(first + j * kElements, sum, stored);
    r_ = block_factor<Rules, kWarp>(sum, a.n, a.eps);
  }

  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    float unused = 0.0f;
    simt::Vector<T> stored;
    for (int round = 0; round < a_.n; round += step()) {
      const int first = round + first_of_thread();
      float v[kRun][kElements];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) {
        const int at = first + j * kElements;
        normalize<Rules, T>(read(at, unused, stored), r_, load_of_row(a_.gamma, at, a_.n, false), v[j]);
        if constexpr (Rules::kGates) multiply_by_gate<Rules, T>(load_of_row(a_.gate, at, a_.n, false), v[j]);
      }
      f(first, v);
    }
  }

  template <class F>
  SIMT_DEVICE void for_each_rounded(F f) const {
    float unused = 0.0f;
    simt::Vector<T> stored;
    for (int round = 0; round < a_.n; round += step()) {
      const int first = round + first_of_thread();
      simt::Vector<uint32_t> words[kRun];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) {
        const int at = first + j * kElements;
        words[j] = normalized_words<Rules, T>(read(at, unused, stored), r_, load_of_row(a_.gamma, at, a_.n, false));
      }
      f(first, words);
    }
  }

  SIMT_DEVICE void finish() const {
    if (!Rules::kAdds || !Rules::stores_residual()) return;
    float unused = 0.0f;
    for (int first = first_of_thread(); first < a_.n; first += step()) {
      for (int j = 0; j < kRun; ++j) {
        simt::Vector<T> stored;
        read(first + j * kElements, unused, stored);
        store_of_row(a_.residual, first + j * kElements, a_.n, false, stored);
      }
    }
  }

 private:
  SIMT_DEVICE static int first_of_thread() { return simt::thread() * kRun * kElements; }
  SIMT_DEVICE static int step() { return simt::block_size() * kRun * kElements; }
  SIMT_DEVICE Held<Rules, T> read(int first, float& sum, simt::Vector<T>& stored) const {
    const int covered = Rules::covered(a_.n, kElements, simt::block_size());
    simt::Vector<uint32_t> residual{};
    if (Rules::kAdds) residual = load_of_row(a_.residual, first, covered, false);
    return square_load<Rules, T>(first, load_of_row(a_.x, first, covered, false), residual, sum, stored);
  }

  NormArguments<T> a_;
  float r_;
};

/// kLoads: loads that a thread keeps in registers; 0: rows of any length and alignment.
template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm(NormArguments<T> a, T* y) {
  using Row = NormalizedRow<Rules, T, kWarp, kLoads>;
  const Row row(a);
  row.for_each([&](int first, const auto& v) {
    store_of_row(y + simt::block() * a.n, first, a.n, Row::kWhole, rounded<T, typename Rules::Store>(v[0]));
  });
  row.finish();
}

template <class Rules>
void run_rms_norm(const Call& call) {
  const NormInputs inputs(call, Rules::kAdds);
  const assay_tensor& y = call.output("y");
  if (!has_type(y, inputs.x.type_code, inputs.x.type_bits)) unsupported("y must have the type of x");
  const bool whole = expect_rows_of(y, inputs) && inputs.in_sixteens;
  if (inputs.shape.rows == 0) return;
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(inputs.loads(), call.warp()));
  with_type(inputs.x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      with_row<16>(inputs.loads(), grid.threads, whole, [&](auto loads) {
        simt::launch(rms_norm<Rules, T, decltype(warp)::value, decltype(loads)::value>, grid, inputs.arguments<T>(),
                     static_cast<T*>(y.data));
      });
    });
  });
}

}  // namespace assay_kernels
