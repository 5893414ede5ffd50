// What a norm is called with: as its kernels see it, and how the host makes it of a call.
#pragma once

#include "kernels/ops/dispatch.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

/// A block for each row.
template <class T>
struct NormArguments {
  const T* x;
  T* residual;  ///< rows of n, one after the other; null if none is added
  const T* gamma;
  int64_t pitch;  ///< from a row of x to the next, in elements
  int32_t n;
  float eps;
  const T* gate = nullptr;  ///< rows of n, one after the other; null without a gate
};

/// The inputs of a call. Rows of x may lie apart; gamma, the residual and the gate are dense.
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
  /// Loads of 16 bytes in a row, the last of which may be cut off.
  int64_t loads() const { return (shape.columns * x.type_bits / 8 + 15) / 16; }

  const assay_tensor &x, &gamma;
  const assay_tensor *residual, *gate;
  Shape shape;
  float eps;
  bool in_sixteens;  ///< every row is whole loads of 16 bytes at addresses divisible by 16
};

/// Whether rows that lie so far apart are whole loads of 16 bytes at addresses divisible by 16.
bool lies_in_sixteens(const assay_tensor& tensor, int64_t pitch);

/// A tensor of the shape of x, dense; whether it lies as NormInputs::in_sixteens says.
bool expect_rows_of(const assay_tensor& tensor, const NormInputs& inputs);

/// Calls f with the loads that each thread keeps in registers, or with 0 for rows that are read again: those that are not
/// `whole`, and those of more than kMost loads a thread. Each number of loads is a kernel of every contract; a build with few of
/// them has kMost / 4.
template <int kMost, class F>
void with_row(int64_t loads, int threads, bool whole, F f) {
  constexpr int kKept = kEachNumberOfLoads ? kMost : kMost / 4;
  if (!whole || loads > int64_t{kKept} * threads) return f(std::integral_constant<int, 0>{});
  if constexpr (kEachNumberOfLoads) {
    with_loads(loads, threads, [&](auto each) {
      if constexpr (decltype(each)::value <= kMost) f(each);
    });
  } else {
    f(std::integral_constant<int, kKept>{});
  }
}

}  // namespace assay_kernels
