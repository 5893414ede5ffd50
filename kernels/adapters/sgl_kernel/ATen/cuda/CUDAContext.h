// Replaces a torch header by the only function of it that sgl-kernel's host functions use.
#pragma once

#include "assay/plugin/torch_tensor.hpp"

namespace at::cuda {
inline cudaStream_t getCurrentCUDAStream() { return assay::torch_stable::Running::stream(); }
}  // namespace at::cuda
