// Tests which status of the C ABI each CUDA error maps to. Needs no device.
#include <gtest/gtest.h>

#include "assay/cuda_plugin.hpp"

namespace {

using assay::cuda::Runtime;

TEST(CudaPlugin, TellsTheKernelsErrorsFromTheDevices) {
  for (const cudaError_t error : {cudaErrorIllegalAddress, cudaErrorMisalignedAddress, cudaErrorAssert, cudaErrorLaunchFailure}) {
    EXPECT_EQ(Runtime::status_of(error), ASSAY_FAULTED) << cudaGetErrorName(error);
  }
  for (const cudaError_t error :
       {cudaErrorInvalidConfiguration, cudaErrorLaunchOutOfResources, cudaErrorStreamCaptureUnsupported}) {
    EXPECT_EQ(Runtime::status_of(error), ASSAY_FAILED) << cudaGetErrorName(error);
  }
  for (const cudaError_t error : {cudaErrorNoDevice, cudaErrorECCUncorrectable, cudaErrorInsufficientDriver})
    EXPECT_EQ(Runtime::status_of(error), ASSAY_DEVICE_LOST) << cudaGetErrorName(error);
  EXPECT_EQ(Runtime::status_of(cudaErrorNoKernelImageForDevice), ASSAY_UNSUPPORTED);
  try {
    assay::cuda::good(cudaErrorInvalidConfiguration);
    FAIL() << "good() lets an error pass";
  } catch (const assay::plugin::Refusal& refusal) {
    EXPECT_EQ(refusal.status, ASSAY_FAILED);
  }
}

TEST(CudaPlugin, NamesCudasTypes) {
  using assay::plugin::Element;
  using assay::plugin::type_name;
  EXPECT_EQ(type_name(Element<__nv_bfloat16>::code, Element<__nv_bfloat16>::bits), "bf16");
  EXPECT_EQ(type_name(Element<__nv_fp8_e4m3>::code, Element<__nv_fp8_e4m3>::bits), "e4m3fn");
}

}  // namespace
