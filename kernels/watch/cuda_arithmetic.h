// The names of arithmetic.h on NVIDIA GPUs: an instruction each. Included by that file.
#pragma once

#include "kernels/simt/simt.h"

#define WATCH_DENSE_KERNEL(threads, blocks) __global__ __launch_bounds__(threads, blocks)
#define WATCH_UNROLL_4 _Pragma("unroll 4")

namespace assay_kernels {

SIMT_DEVICE float fma_toward_zero(float a, float b, float c) { return ::__fmaf_rz(a, b, c); }
SIMT_DEVICE uint32_t max_of_pair_sums(uint32_t a, uint32_t b, uint32_t m) { return ::__viaddmax_s16x2(a, b, m); }
SIMT_DEVICE int bit_count(uint32_t word) { return ::__popc(word); }

}  // namespace assay_kernels
