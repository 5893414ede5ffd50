// A plain CUDA or HIP kernel on the CPU, with warps of 32 or 64 lanes: include this in place of the vendor's headers (or put
// assay/vendor/ first among the include folders and leave the kernel's #includes as they are), and write
//
//   kernel<<<grid, block>>>(a, b);   as   assay::simt::launch(kernel, grid, block, warp, a, b);
//   extern __shared__ float s[];     as   HIP_DYNAMIC_SHARED(float, s)
//
// Threads are fibers that switch where they wait for each other: at __syncthreads(), __syncwarp(), shuffles and votes. Threads
// that wait for each other at different places end the launch with assay::simt::Divergence, which says who waits where.
//
// Not covered, and a compile error that says so: cooperative groups, asynchronous copies, TMA, wgmma and wmma, textures,
// clusters, __activemask(), __match_*_sync(). Not covered, and an error of the compiler's own: PTX, AMD builtins, launches within kernels,
// vendor host calls. A thread that waits for another block in a loop hangs. Blocks consist of whole warps.
//
// Link with libassay_simt_cpu and Boost.Context. Kernels that read one type as another want -fno-strict-aliasing.
#pragma once

#include "assay/compat/atomics.h"
#include "assay/compat/fp8.h"
#include "assay/compat/language.h"
#include "assay/compat/launch.h"
#include "assay/compat/math.h"
#include "assay/compat/not_covered.h"
#include "assay/compat/numbers.h"
#include "assay/compat/vectors.h"
#include "assay/compat/warp.h"
