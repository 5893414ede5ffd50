// Sixteen bytes of a row at a time, also where rows are no whole loads and therefore not aligned.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// Elements first .. of a row of n; beyond the end zeros. `whole`: rows are whole loads, and aligned.
template <class T>
SIMT_DEVICE simt::Vector<T> load_of_row(const T* row, int64_t first, int64_t n, bool whole) {
  if (whole) return first < n ? simt::load16(row + first) : simt::Vector<T>{};
  simt::Vector<T> v{};
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i)
    if (first + i < n) v.at[i] = row[first + i];
  return v;
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
