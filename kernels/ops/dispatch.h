// From what a call says at run time to the template parameters of kernels.
#pragma once

#include <type_traits>

#include "kernels/ops/call.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

template <class F>
void with_half_type(const assay_tensor& x, F f) {
  if (has_type(x, ASSAY_BFLOAT, 16)) return f(simt::Bf16{});
  if (has_type(x, ASSAY_FLOAT, 16)) return f(simt::F16{});
  unsupported("x must be bf16 or fp16 for this kernel");
}

template <class F>
void with_type(const assay_tensor& x, F f) {
  if (has_type(x, ASSAY_FLOAT, 32)) return f(float{});
  with_half_type(x, f);
}

template <class F>
void with_warp(const Call& call, F f) {
  if (!simt::with_warp_size(call.warp(), f)) unsupported("no warps of " + std::to_string(call.warp()) + " lanes here");
}

/// Whether each number of loads a thread has a kernel of its own. A build that only looks whether everything compiles (ASSAY_FEW_LOADS)
/// has fewer: a kernel takes shorter rows, too.
#ifdef ASSAY_FEW_LOADS
inline constexpr bool kEachNumberOfLoads = false;
#else
inline constexpr bool kEachNumberOfLoads = true;
#endif

template <class F>
void with_loads(int64_t loads, int threads, F f) {
  const int64_t each = (loads + threads - 1) / threads;
  if (each <= 1) return f(std::integral_constant<int, 1>{});
  if constexpr (kEachNumberOfLoads) {
    if (each <= 2) return f(std::integral_constant<int, 2>{});
    if (each <= 4) return f(std::integral_constant<int, 4>{});
    if (each <= 8) return f(std::integral_constant<int, 8>{});
  }
  if (each <= 16) return f(std::integral_constant<int, 16>{});
  unsupported("rows of more than " + std::to_string(16 * threads) + " loads of 16 bytes");
}

template <class T>
const T* data_of(const assay_tensor& tensor) {
  return static_cast<const T*>(tensor.data);
}

}  // namespace assay_kernels
