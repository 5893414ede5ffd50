// Replaces a torch header. sgl-kernel's host functions use only this function of that header.
#pragma once

#include "assay/plugin/torch_tensor.hpp"

namespace at::cuda {
inline cudaStream_t getCurrentCUDAStream() { return assay::torch_stable::Running::stream(); }
}  // namespace at::cuda
