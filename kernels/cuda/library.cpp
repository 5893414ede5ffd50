// libassay_cuda.so: Assay's kernels on an NVIDIA GPU. This file is host code and needs the CUDA runtime but no nvcc.
#include "assay/cuda_plugin.hpp"
#include "kernels/ops/call.h"
#include "kernels/simt/launch.h"

namespace {

struct Runtime : assay::cuda::Runtime {
  using LoadScope = simt::LoadScope;
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  assay::plugin::Identity device;
  // describe() reports the missing device
  if (!assay::cuda::Runtime::identify(device).empty()) (void)assay::cuda::Runtime::take_last_error();
  return assay::plugin::DeviceLibrary<Runtime, assay_kernels::Call>::of(
      {{"assay_cuda", "", "", "", ""}, assay_kernels::kernels_of(device.arch)});
}
