// One collective for every tensor core: mma(d, operands) makes d = A * B^T + d by one instruction, of the threads that kThreads<>
// counts. On a device it is that instruction, on the CPU what kernels/units emulates; the compiler is told apart as in
// simt/simt.h.
#pragma once

#include "kernels/simt/simt.h"

#if defined(__CUDACC__)
#include "kernels/units/cuda_mma.h"
#elif defined(__HIP__)
#include "kernels/units/hip_mma.h"
#else
#include "kernels/units/emulated_mma.h"
#endif
