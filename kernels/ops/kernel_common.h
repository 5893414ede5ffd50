// Shared by the kernels of several ops: conversion of run-time values to template arguments, 16-byte loads from rows, pairwise
// sums, and flushing of subnormals.
#pragma once

#include <type_traits>

#include "kernels/ops/call.h"
#include "kernels/simt/block_reduce.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// Functions that convert a run-time value of a call to a template argument. They pass `f` a value of the type, or an integral_constant.

template <class F>
void with_half_type(const assay_tensor& x, F f) {
  if (has_type(x, ASSAY_BFLOAT, 16)) return f(simt::Bf16{});
  if (has_type(x, ASSAY_FLOAT, 16)) return f(simt::F16{});
  unsupported("this kernel supports x only in bf16 and fp16");
}

template <class F>
void with_type(const assay_tensor& x, F f) {
  if (has_type(x, ASSAY_FLOAT, 32)) return f(float{});
  with_half_type(x, f);
}

template <class F>
void with_warp(const Call& call, F f) {
  if (!simt::with_warp_size(call.warp(), f)) unsupported("this library has no kernel for warps of " + std::to_string(call.warp()) + " lanes");
}

/// Kernels are compiled for 1, 2, 4, 8 and 16 loads of 16 bytes per thread. Builds that only check compilation (ASSAY_FEW_LOADS)
/// compile them for 1 and 16 loads; a kernel also handles rows that need fewer loads.
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
  unsupported("this kernel supports rows of at most " + std::to_string(16 * threads) + " loads of 16 bytes");
}

template <class T>
const T* data_of(const assay_tensor& tensor) {
  return static_cast<const T*>(tensor.data);
}

// Flushing of fp32 subnormals to zero, as in builds with nvcc -ftz=true or hipcc -fgpu-flush-denormals-to-zero.

/// Returns zero with the sign of v if v is subnormal, else v.
SIMT_DEVICE float flushed(float v) { return simt::magnitude(v) < 0x1p-126f ? simt::from_bits(simt::bits(v) & 0x80000000u) : v; }

// 16-byte loads. If a row is not a multiple of 16 bytes, its last load is partial, and the next row is not aligned.

/// The elements of a 16-byte load. Loads are kept as 32-bit words, because each 16-bit element would occupy a register of its own
/// while the load is in flight.
template <class T>
SIMT_DEVICE simt::Vector<T> elements_of(const simt::Vector<uint32_t>& words) {
  simt::Vector<T> v;
  __builtin_memcpy(&v, &words, sizeof v);
  return v;
}

template <class T>
SIMT_DEVICE simt::Vector<uint32_t> words_of(const simt::Vector<T>& v) {
  simt::Vector<uint32_t> words;
  __builtin_memcpy(&words, &v, sizeof words);
  return words;
}

/// Converts the elements of a 16-byte load to fp32. A bf16 is the upper half of its fp32 value, so bf16 takes one operation per
/// element and no 16-bit registers.
template <class T>
SIMT_DEVICE void widen(const simt::Vector<uint32_t>& words, float (&v)[simt::Vector<T>::kElements]) {
  if constexpr (std::is_same_v<T, simt::Bf16>) {
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) {
      v[2 * i] = simt::from_bits(words.at[i] << 16);
      v[2 * i + 1] = simt::from_bits(words.at[i] & 0xffff0000u);
    }
  } else {
    const auto elements = elements_of<T>(words);
    SIMT_UNROLL
    for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] = simt::to_float(elements.at[i]);
  }
}

/// Loads 16 bytes of a row, from element `first` on; elements >= n are zeros. `whole`: rows consist of aligned 16-byte loads.
template <class T>
SIMT_DEVICE simt::Vector<uint32_t> load_of_row(const T* row, int64_t first, int64_t n, bool whole) {
  simt::Vector<uint32_t> words{};
  if (whole) {
    if (first < n) words = simt::load16(reinterpret_cast<const uint32_t*>(row + first));
    return words;
  }
  simt::Vector<T> v{};
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i)
    if (first + i < n) v.at[i] = row[first + i];
  __builtin_memcpy(&words, &v, sizeof words);
  return words;
}

template <class T>
SIMT_DEVICE void store_of_row(T* row, int64_t first, int64_t n, bool whole, const simt::Vector<T>& v) {
  if (whole) {
    if (first < n) simt::store16(row + first, v);
    return;
  }
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i)
    if (first + i < n) row[first + i] = v.at[i];
}

/// Quantizes the elements of a 16-byte load and stores their codes.
template <class Code, int kElements>
SIMT_DEVICE void store_of_row(uint8_t* row, int64_t first, int64_t n, bool whole, const float (&u)[kElements]) {
  if (whole) {
    if (first >= n) return;
    if constexpr (kElements == 8) {
      simt::store8(row + first, Code::encode4(u), Code::encode4(u + 4));
    } else {
      simt::store4(row + first, Code::encode4(u));
    }
    return;
  }
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i)
    if (first + i < n) row[first + i] = Code::encode(u[i]);
}

// Pairwise sums of a fixed number of terms.

/// The sum of kCount terms (a power of two) from term(kFirst) on, log2(kCount) additions deep. The function is recursive because
/// nvcc does not unroll a loop that halves its bound, and would keep the terms in memory.
template <int kFirst, int kCount, class Term>
SIMT_DEVICE float tree_sum(const Term& term) {
  if constexpr (kCount == 1) {
    return term(kFirst);
  } else {
    return tree_sum<kFirst, kCount / 2>(term) + tree_sum<kFirst + kCount / 2, kCount / 2>(term);
  }
}

}  // namespace assay_kernels
