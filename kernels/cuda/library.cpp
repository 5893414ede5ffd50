// libassay_cuda.so: the same kernels on an NVIDIA GPU. Host code only; it needs the runtime, no nvcc.
#include <cuda_runtime_api.h>

#include "kernels/ops/device_library.h"

namespace {

std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

struct CudaRuntime {
  using Error = cudaError_t;
  static constexpr Error kSuccess = cudaSuccess;

  /// Returns why there is no device.
  static std::string identify(assay_kernels::Identity& identity) {
    int runtime = 0, driver = 0, index = 0;
    cudaDeviceProp properties{};
    identity.name = "assay_cuda";
    if (cudaRuntimeGetVersion(&runtime) == cudaSuccess) identity.toolkit = version(runtime);
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver != 0) identity.driver = version(driver);
    Error error = cudaGetDevice(&index);
    if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, index);
    if (error != cudaSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(error);
    identity.arch = "sm_" + std::to_string(properties.major * 10 + properties.minor);
    identity.device = properties.name;
    return "";
  }

  static Error allocate(void** data, size_t bytes) { return cudaMalloc(data, bytes); }
  static Error release(void* data) { return cudaFree(data); }
  static Error copy_in(void* to, const void* from, size_t bytes) { return cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice); }
  static Error copy_out(void* to, const void* from, size_t bytes) { return cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost); }
  static Error wait(void* stream) { return cudaStreamSynchronize(stream_of(stream)); }
  static Error take_last_error() { return cudaGetLastError(); }

  static cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }
  static Error create_stream(void** stream) {
    return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking);
  }
  static Error destroy_stream(void* stream) { return cudaStreamDestroy(stream_of(stream)); }
  static Error begin_capture(void* stream) { return cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeGlobal); }
  static Error end_capture(void* stream, void** graph) {
    cudaGraph_t captured{};
    cudaGraphExec_t executable{};
    Error error = cudaStreamEndCapture(stream_of(stream), &captured);
    if (error == kSuccess) error = cudaGraphInstantiate(&executable, captured, 0);
    if (captured != nullptr) (void)cudaGraphDestroy(captured);
    *graph = executable;
    return error;
  }
  static Error replay(void* graph, void* stream) {
    return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_of(stream));
  }
  static Error destroy_graph(void* graph) { return cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

  /// As abi.h says: what a kernel does wrong is sticky, what a call asks wrongly is not, all else is the device's.
  static assay_status status_of(Error error) {
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
      case cudaErrorHardwareStackError:
        return ASSAY_FAULTED;
      case cudaErrorInvalidValue:
      case cudaErrorInvalidConfiguration:
      case cudaErrorLaunchOutOfResources:
        return ASSAY_FAILED;
      default:
        return ASSAY_DEVICE_LOST;
    }
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay_kernels::DeviceLibrary<CudaRuntime>::instance();
}
