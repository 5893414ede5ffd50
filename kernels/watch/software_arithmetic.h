// The names of arithmetic.h where no instruction has them. Included by that file.
#pragma once

#include "kernels/simt/simt.h"

#define WATCH_DENSE_KERNEL(threads, blocks) SIMT_KERNEL
#define WATCH_UNROLL_4

namespace assay_kernels {

/// a * b + c with one rounding, toward zero. Of finite numbers, and of results that are normal.
SIMT_DEVICE float fma_toward_zero(float a, float b, float c) {
  const double product = double(a) * b;  // exact: 48 bits
  const double sum = product + c, back = sum - product, lost = (product - (sum - back)) + (double(c) - back);
  float near = float(sum);
  const bool beyond = (double(near) > 0 ? double(near) > sum : double(near) < sum) ||
                      (double(near) == sum && lost != 0 && (lost < 0) == (near > 0));
  return beyond ? simt::from_bits(simt::bits(near) - 1) : near;
}

/// The larger of a + b and m, in each half of the words, as signed numbers of 16 bits.
SIMT_DEVICE uint32_t max_of_pair_sums(uint32_t a, uint32_t b, uint32_t m) {
  const int low = int16_t(a & 0xffffu) + int16_t(b & 0xffffu), high = int16_t(a >> 16) + int16_t(b >> 16);
  const int low_m = int16_t(m & 0xffffu), high_m = int16_t(m >> 16);
  return (uint32_t(low > low_m ? low : low_m) & 0xffffu) | uint32_t(high > high_m ? high : high_m) << 16;
}

SIMT_DEVICE int bit_count(uint32_t word) { return __builtin_popcount(word); }

}  // namespace assay_kernels
