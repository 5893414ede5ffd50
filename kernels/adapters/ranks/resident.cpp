#include "together.h"

#include <string>

#include "assay/cuda_plugin.hpp"

namespace assay::ranks {
namespace {

thread_local int copies_at_once = 0;

int64_t product(dim3 of) { return int64_t(of.x) * of.y * of.z; }

int64_t blocks_of_cluster(const cudaLaunchConfig_t& config) {
  for (unsigned i = 0; i < config.numAttrs; ++i)
    if (config.attrs[i].id == cudaLaunchAttributeClusterDimension) {
      const auto& cluster = config.attrs[i].val.clusterDim;
      return int64_t(cluster.x) * cluster.y * cluster.z;
    }
  return 1;
}

/// Number of blocks of this kernel that are resident at once if the device is otherwise idle.
int64_t blocks_at_once(const void* kernel, const cudaLaunchConfig_t& config) {
  int count = 0;
  if (const int64_t cluster = blocks_of_cluster(config); cluster > 1) {
    cuda::good(cudaOccupancyMaxActiveClusters(&count, kernel, &config));
    return count * cluster;
  }
  int device = 0, processors = 0;
  cuda::good(cudaGetDevice(&device));
  cuda::good(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  cuda::good(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&count, kernel, int(product(config.blockDim)), config.dynamicSmemBytes));
  return int64_t(count) * processors;
}

void expect_residence(const void* kernel, const cudaLaunchConfig_t& config) {
  if (copies_at_once == 0) return;
  const int64_t wanted = product(config.gridDim) * copies_at_once, held = blocks_at_once(kernel, config);
  if (wanted > held)
    plugin::unsupported(std::to_string(copies_at_once) + " ranks launch " + std::to_string(wanted) +
                        " blocks that wait for each other, but the device can run only " + std::to_string(held) + " at once");
}

}  // namespace

AtOnce::AtOnce(int copies) { copies_at_once = copies; }
AtOnce::~AtOnce() { copies_at_once = 0; }

}  // namespace assay::ranks

extern "C" {

cudaError_t __real_cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void*, void**);
cudaError_t __wrap_cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments) {
  assay::ranks::expect_residence(kernel, *config);
  return __real_cudaLaunchKernelExC(config, kernel, arguments);
}

cudaError_t __real___cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, size_t, cudaStream_t);
cudaError_t __wrap___cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, size_t shared,
                                      cudaStream_t stream) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  assay::ranks::expect_residence(kernel, config);
  return __real___cudaLaunchKernel(kernel, grid, block, arguments, shared, stream);
}

}  // extern "C"
