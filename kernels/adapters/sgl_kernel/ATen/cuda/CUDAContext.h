// The one question that sgl-kernel's host functions ask torch.
#pragma once

#include "assay/plugin/torch_tensor.hpp"

namespace at::cuda {
inline cudaStream_t getCurrentCUDAStream() { return assay::torch_stable::Running::stream(); }
}  // namespace at::cuda
