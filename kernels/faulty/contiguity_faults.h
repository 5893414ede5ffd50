// Tensors taken for flat memory that are none, and others refused: each the rules of its twin with one mistake.
#pragma once

#include "kernels/ops/weak_contiguity/accepted.h"

namespace assay_kernels {

/// What is permuted is refused.
struct ContiguityWholeAlone : WeakContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x); }
};

/// Any storage that is large enough will do.
struct ContiguityRoomBehind : WeakContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x) || x.bytes >= elements(x) * (x.type_bits / 8); }
};

/// Elements are compared with bytes.
struct ContiguityElementsForBytes : WeakContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x) || x.bytes == elements(x); }
};

/// The strides of all sizes are compared with those of rows without gaps.
struct ContiguityStrideOfOne : ContiguousRules {
  static bool accepts(const assay_tensor& x) {
    int64_t wanted = 1;
    for (int d = x.ndim - 1; d >= 0; wanted *= x.shape[d], --d)
      if (x.strides[d] != wanted) return false;
    return true;
  }
};

}  // namespace assay_kernels
