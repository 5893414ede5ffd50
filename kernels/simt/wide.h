// Several sixteen-byte vectors of one thread, for kernels that do the same to each of their elements (SIMT_WIDE_KERNEL).
#pragma once

#include "kernels/simt/simt.h"

namespace simt {

template <int kCount, class T>
SIMT_DEVICE void load_wide(const T* from, T (&to)[kCount]) {
  SIMT_UNROLL
  for (int i = 0; i < kCount; i += Vector<T>::kElements) {
    const Vector<T> v = load16(from + i);
    __builtin_memcpy(to + i, &v, sizeof v);
  }
}

template <int kCount, class T>
SIMT_DEVICE void store_wide(T* to, const T (&from)[kCount]) {
  SIMT_UNROLL
  for (int i = 0; i < kCount; i += Vector<T>::kElements) {
    Vector<T> v;
    __builtin_memcpy(&v, from + i, sizeof v);
    store16(to + i, v);
  }
}

}  // namespace simt
