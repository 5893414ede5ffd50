// Sums of a fixed number of terms in pairs.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

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
