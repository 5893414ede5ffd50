// The names that kernels are written with. This file only chooses the vendor's header. Each of the three headers defines the same
// names; README.md lists them.
#pragma once

#if defined(__CUDACC__)
#include "kernels/simt/cuda_simt.h"
#elif defined(__HIP__)
#include "kernels/simt/hip_simt.h"
#else
#include "kernels/simt/cpu_simt.h"
#endif
