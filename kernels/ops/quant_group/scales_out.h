// Where scales are stored.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// n / divisor for n < 2^31 by a multiplication and a shift (Granlund, Montgomery, PLDI 1994, figure 4.1).
struct Divider {
  uint32_t divisor = 1, multiplier = 1, shift = 0;
  static Divider by(uint32_t d) {
    uint32_t shift = 0;
    while ((uint64_t{1} << shift) < d) ++shift;
    return {d, uint32_t(((uint64_t{1} << 32) * ((uint64_t{1} << shift) - d)) / d + 1), shift};
  }
  SIMT_DEVICE uint32_t quotient(uint32_t n) const { return (uint32_t(uint64_t{n} * multiplier >> 32) + n) >> shift; }
};

/// Scales of an m x G grid of groups.
struct ScalesOut {
  void* data;  ///< float, or bytes of packed words
  int64_t rows;
  int32_t groups;                    ///< in a row
  int64_t row_stride, group_stride;  ///< in floats
  int64_t padded_rows;               ///< packed: rows of a column of words, a multiple of four
  Divider by_groups;
};

}  // namespace assay_kernels
