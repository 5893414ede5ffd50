// Mistakes that any product may have, whatever its scales.
#pragma once

#include "kernels/gemm/rules.h"

namespace assay_kernels {

/// Whole tiles of k alone, of so many products.
template <class Right, int kProducts>
struct TailLeftOut : Right {
  SIMT_DEVICE static int64_t products(int64_t k) { return k - k % kProducts; }
};

/// A weight that is shuffled once more.
template <class Right>
struct ShuffledTwice : Right {
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t all_k) {
    const int64_t once = ShuffledWeight::byte(column, k, all_k);
    return ShuffledWeight::byte(once / all_k, once % all_k, all_k);
  }
};

}  // namespace assay_kernels
