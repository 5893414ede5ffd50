// libassay_cuda.so: the same kernels on an NVIDIA GPU. Host code only; it needs the runtime, no nvcc.
#include <cuda_runtime_api.h>

#include "kernels/ops/catalogue.h"

namespace {

using assay_kernels::Identity;

std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

/// The device that calls go to, or why there is none.
struct Device {
  Identity identity{"assay_cuda", "", "", "", ""};
  std::string lost;

  Device() {
    int runtime = 0, driver = 0, index = 0;
    cudaDeviceProp properties{};
    if (cudaRuntimeGetVersion(&runtime) == cudaSuccess) identity.toolkit = version(runtime);
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver != 0) identity.driver = version(driver);
    cudaError_t error = cudaGetDevice(&index);
    if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, index);
    if (error != cudaSuccess) {
      cudaGetLastError();  // it is reported here, not by the next launch
      lost = std::string("no CUDA device: ") + cudaGetErrorString(error);
      identity.device = lost;
      return;
    }
    identity.arch = "sm_" + std::to_string(properties.major * 10 + properties.minor);
    identity.device = properties.name;
  }
};

const Device& device() {
  static const Device instance;
  return instance;
}

const std::vector<assay_kernels::Kernel>& kernels() {
  static const auto all = assay_kernels::all_kernels();
  return all;
}

/// Errors that a kernel causes by what it does are its failure; all others are the device's.
assay_status status_of(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return ASSAY_OK;
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorLaunchTimeout:
    case cudaErrorLaunchFailure:
      return ASSAY_FAILED;
    default:
      return ASSAY_DEVICE_LOST;
  }
}

const char* describe() {
  static const std::string text = assay_kernels::describe(device().identity, kernels());
  return text.c_str();
}

assay_status run(const assay_call* call) {
  if (!device().lost.empty()) return assay_kernels::report(call, ASSAY_DEVICE_LOST, device().lost);
  return assay_kernels::run(kernels(), call);
}

void* allocate(size_t bytes) {
  void* data = nullptr;
  if (!device().lost.empty() || cudaMalloc(&data, bytes) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  return data;
}

void release(void* data) {
  if (cudaFree(data) != cudaSuccess) cudaGetLastError();
}

assay_status copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (!device().lost.empty()) return ASSAY_DEVICE_LOST;
  const cudaError_t error = cudaMemcpy(to, from, bytes, kind);
  if (error != cudaSuccess) cudaGetLastError();
  return status_of(error);
}

assay_status upload(void* to, const void* from, size_t bytes) { return copy(to, from, bytes, cudaMemcpyHostToDevice); }
assay_status download(void* to, const void* from, size_t bytes) { return copy(to, from, bytes, cudaMemcpyDeviceToHost); }

assay_status synchronise(void* stream) {
  if (!device().lost.empty()) return ASSAY_DEVICE_LOST;
  const cudaError_t waited = cudaStreamSynchronize(static_cast<cudaStream_t>(stream));
  const cudaError_t last = cudaGetLastError();
  return status_of(waited != cudaSuccess ? waited : last);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library{ASSAY_ABI_VERSION, sizeof(assay_library), describe, run, allocate, release, upload, download,
                                     synchronise};
  return &library;
}
