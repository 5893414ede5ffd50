// What the witness of products computes with. Chosen here, as simt/simt.h chooses, and nothing else is done here.
//
//   fma_toward_zero(a, b, c)   a * b + c with one rounding, toward zero
//   max_of_pair_sums(a, b, m)  the larger of a + b and m, in each half of the words, as signed numbers of 16 bits
//   bit_count(word)            ones of a word
//   WATCH_DENSE_KERNEL(threads, blocks)  a kernel of which so many blocks are to share a multiprocessor
//   WATCH_UNROLL_4             four turns of a loop at a time
#pragma once

#if defined(__CUDACC__)
#include "kernels/watch/cuda_arithmetic.h"
#else
#include "kernels/watch/software_arithmetic.h"
#endif
