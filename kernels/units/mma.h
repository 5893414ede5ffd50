// mma(d, operands) computes d = A * B^T + d by one tensor core instruction. kThreads<> threads call it together. On a device it
// is the real instruction, on the CPU the emulation in emulated_mma.h. The compiler's macros choose the header, as in
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
