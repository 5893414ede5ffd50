// The vendor-neutral names that kernels use. This file only includes the header for the compiler's target: cpu_simt.h,
// cuda_simt.h or hip_simt.h. All three define the same names; README.md lists them.
#pragma once

#if defined(__CUDACC__)
#include "kernels/simt/cuda_simt.h"
#elif defined(__HIP__)
#include "kernels/simt/hip_simt.h"
#else
#include "kernels/simt/cpu_simt.h"
#endif
