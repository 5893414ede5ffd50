// Sixteen bytes of a row at a time, also where rows are no whole loads and therefore not aligned.
#pragma once

#include <type_traits>

#include "kernels/simt/simt.h"

namespace assay_kernels {

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

}  // namespace assay_kernels
