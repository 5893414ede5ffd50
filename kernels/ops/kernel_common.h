// What the kernels of several ops share: run-time values that become template parameters, loads of 16 bytes from rows, sums in
// pairs, and flushing of subnormal numbers.
#pragma once

#include <type_traits>

#include "kernels/ops/call.h"
#include "kernels/simt/block_reduce.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// From what a call says at run time to the template parameters of kernels.

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

// What builds that flush subnormal numbers make of them: nvcc -ftz=true, hipcc -fgpu-flush-denormals-to-zero.

/// v of a module that flushes: subnormal numbers are zeros.
SIMT_DEVICE float flushed(float v) { return simt::magnitude(v) < 0x1p-126f ? simt::from_bits(simt::bits(v) & 0x80000000u) : v; }

// Sixteen bytes of a row at a time, also where rows are no whole loads and therefore not aligned.

/// Elements of sixteen bytes that were kept as words: 16-bit elements would each take a register while the load is in flight.
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

/// The elements of such a load in fp32. A bf16 is the upper half of an fp32: one operation for each, and no register for 16 bits.
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

/// Elements first .. of a row of n; beyond the end zeros. `whole`: rows are whole loads, and aligned.
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

/// Codes of such a load.
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

// Sums of a fixed number of terms in pairs.

/// term(kFirst) + ... over kCount terms, a power of two, log2(kCount) additions deep. By recursion: nvcc does not unroll a loop
/// that halves its bound, and then keeps its array in memory.
template <int kFirst, int kCount, class Term>
SIMT_DEVICE float tree_sum(const Term& term) {
  if constexpr (kCount == 1) {
    return term(kFirst);
  } else {
    return tree_sum<kFirst, kCount / 2>(term) + tree_sum<kFirst + kCount / 2, kCount / 2>(term);
  }
}

}  // namespace assay_kernels
