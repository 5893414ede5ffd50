// What builds that flush subnormal numbers make of them: nvcc -ftz=true, hipcc -fgpu-flush-denormals-to-zero.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// v of a module that flushes: subnormal numbers are zeros.
SIMT_DEVICE float flushed(float v) { return simt::magnitude(v) < 0x1p-126f ? simt::from_bits(simt::bits(v) & 0x80000000u) : v; }

}  // namespace assay_kernels
