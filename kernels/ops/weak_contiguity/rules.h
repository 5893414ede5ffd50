// Which strided tensors are read as flat memory, line by line; a faulty kernel derives from one and replaces a line. The host
// decides.
#pragma once

#include "kernels/ops/call.h"

namespace assay_kernels {

/// sglang custom_all_reduce_push.cuh 7723177a3b: input.IsContiguous().
struct ContiguousRules {
  static bool contiguous(const assay_tensor& x) {
    int64_t wanted = 1;
    for (int d = x.ndim - 1; d >= 0; --d) {
      if (x.shape[d] == 0) return true;
      if (x.shape[d] > 1 && x.strides[d] != wanted) {
        for (int before = 0; before < d; ++before)
          if (x.shape[before] == 0) return true;
        return false;
      }
      wanted *= x.shape[d];
    }
    return true;
  }
  static uint64_t elements(const assay_tensor& x) {
    uint64_t product = 1;
    for (int d = 0; d < x.ndim; ++d) product *= uint64_t(x.shape[d]);
    return product;
  }
  static bool accepts(const assay_tensor& x) { return contiguous(x); }
};

/// vllm csrc/custom_all_reduce.cu v0.33.0 _is_weak_contiguous; `bytes` are those of the storage behind the offset.
struct WeakContiguousRules : ContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x) || x.bytes == elements(x) * (x.type_bits / 8); }
};

}  // namespace assay_kernels
