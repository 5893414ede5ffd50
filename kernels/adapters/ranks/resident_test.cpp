// Checks which launches are accepted and rejected, on a mock device that holds one block on each of 132 multiprocessors.
#include "together.h"

#include <gtest/gtest.h>

#include "assay/cuda_plugin.hpp"

namespace {
int launches = 0, clusters_held = 0;
}  // namespace

extern "C" {
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) { return *value = 132, cudaSuccess; }
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int, size_t) {
  return *blocks = 1, cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void*, const cudaLaunchConfig_t*) {
  return *clusters = clusters_held, cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t) { return "no error is expected"; }

cudaError_t __real_cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void*, void**) { return ++launches, cudaSuccess; }
cudaError_t __real___cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, size_t, cudaStream_t) { return ++launches, cudaSuccess; }
cudaError_t __wrap_cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void*, void**);
cudaError_t __wrap___cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, size_t, cudaStream_t);
}

namespace {

using assay::ranks::AtOnce;

cudaError_t launch(unsigned blocks) { return __wrap___cudaLaunchKernel(nullptr, dim3(blocks), dim3(512), nullptr, 0, nullptr); }

std::string refusal(unsigned blocks) {
  try {
    launch(blocks);
  } catch (const assay::plugin::Refusal& refusal) {
    return std::to_string(refusal.status) + ": " + refusal.what();
  }
  return "launched";
}

TEST(Resident, RanksThatFitAreLaunched) {
  launches = 0;
  const AtOnce at_once(4);
  EXPECT_EQ(launch(33), cudaSuccess);
  EXPECT_EQ(launches, 1);
}

TEST(Resident, RanksThatWouldWaitForBlocksBehindThemAreRefused) {
  launches = 0;
  const AtOnce at_once(4);
  EXPECT_EQ(refusal(34),
            std::to_string(ASSAY_UNSUPPORTED) + ": 4 ranks launch 136 blocks that wait for each other, but the device can run only 132 at once");
  EXPECT_EQ(launches, 0);
}

TEST(Resident, NobodyWaitsOutsideOfAGroup) {
  launches = 0;
  { const AtOnce at_once(8); }
  EXPECT_EQ(refusal(100000), "launched");
  EXPECT_EQ(launches, 1);
}

TEST(Resident, ClustersCountWhole) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = 8, attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(64), config.blockDim = dim3(128), config.attrs = &attribute, config.numAttrs = 1;
  const AtOnce at_once(2);
  launches = 0;
  clusters_held = 16;
  EXPECT_EQ(__wrap_cudaLaunchKernelExC(&config, nullptr, nullptr), cudaSuccess);
  clusters_held = 15;
  EXPECT_THROW((void)__wrap_cudaLaunchKernelExC(&config, nullptr, nullptr), assay::plugin::Refusal);
  EXPECT_EQ(launches, 1);
}

}  // namespace
