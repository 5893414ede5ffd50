// libassay_hip.so: the same kernels on an AMD GPU. Host code only.
#include "assay/plugin/library.hpp"

#include <hip/hip_runtime_api.h>

#include "kernels/ops/catalogue.h"
#include "kernels/simt/hip_launch.h"

namespace {

std::string version(int number) { return std::to_string(number / 10000000) + "." + std::to_string(number / 100000 % 100); }

struct HipRuntime {
  using Error = hipError_t;
  static constexpr Error kSuccess = hipSuccess;

  /// Returns why there is no device that the kernels can run on.
  static std::string identify(assay::plugin::Identity& identity) {
    int runtime = 0, driver = 0, index = 0;
    hipDeviceProp_t properties{};
    if (hipRuntimeGetVersion(&runtime) == hipSuccess) identity.toolkit = version(runtime);
    if (hipDriverGetVersion(&driver) == hipSuccess && driver != 0) identity.driver = version(driver);
    Error error = hipGetDevice(&index);
    if (error == hipSuccess) error = hipGetDeviceProperties(&properties, index);
    if (error != hipSuccess) return std::string("no HIP device: ") + hipGetErrorString(error);
    identity.arch = properties.gcnArchName;
    identity.device = properties.name;
    if (properties.warpSize == simt::kDeviceWarp) return "";
    return identity.arch + " has waves of " + std::to_string(properties.warpSize) + " lanes, the kernels of this library of " +
           std::to_string(simt::kDeviceWarp);
  }

  static Error allocate(void** data, size_t bytes) { return hipMalloc(data, bytes); }
  static Error release(void* data) { return hipFree(data); }
  static Error copy_in(void* to, const void* from, size_t bytes) { return hipMemcpy(to, from, bytes, hipMemcpyHostToDevice); }
  static Error copy_out(void* to, const void* from, size_t bytes) { return hipMemcpy(to, from, bytes, hipMemcpyDeviceToHost); }
  static Error wait(void* stream) { return hipStreamSynchronize(stream_of(stream)); }
  static Error take_last_error() { return hipGetLastError(); }
  static std::string text(Error error) { return hipGetErrorString(error); }

  static hipStream_t stream_of(void* stream) { return static_cast<hipStream_t>(stream); }
  static Error create_stream(void** stream) {
    return hipStreamCreateWithFlags(reinterpret_cast<hipStream_t*>(stream), hipStreamNonBlocking);
  }
  static Error destroy_stream(void* stream) { return hipStreamDestroy(stream_of(stream)); }
  static Error begin_capture(void* stream) { return hipStreamBeginCapture(stream_of(stream), hipStreamCaptureModeGlobal); }
  static Error end_capture(void* stream, void** graph) {
    hipGraph_t captured{};
    hipGraphExec_t executable{};
    Error error = hipStreamEndCapture(stream_of(stream), &captured);
    if (error == kSuccess) error = hipGraphInstantiate(&executable, captured, nullptr, nullptr, 0);
    if (captured != nullptr) (void)hipGraphDestroy(captured);
    *graph = executable;
    return error;
  }
  static Error replay(void* graph, void* stream) { return hipGraphLaunch(static_cast<hipGraphExec_t>(graph), stream_of(stream)); }
  static Error destroy_graph(void* graph) { return hipGraphExecDestroy(static_cast<hipGraphExec_t>(graph)); }

  /// As abi.h says: what a kernel does wrong is sticky, what a call asks wrongly is not, all else is the device's.
  static assay_status status_of(Error error) {
    switch (error) {
      case hipSuccess:
        return ASSAY_OK;
      case hipErrorIllegalAddress:
      case hipErrorAssert:
      case hipErrorLaunchTimeOut:
      case hipErrorLaunchFailure:
        return ASSAY_FAULTED;
      case hipErrorInvalidValue:
      case hipErrorInvalidConfiguration:
      case hipErrorLaunchOutOfResources:
        return ASSAY_FAILED;
      default:
        return ASSAY_DEVICE_LOST;
    }
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  assay::plugin::Identity device;
  if (!HipRuntime::identify(device).empty()) (void)HipRuntime::take_last_error();  // describe() says it
  return assay::plugin::DeviceLibrary<HipRuntime, assay_kernels::Call>::of(
      {{"assay_hip", "", "", "", ""}, assay_kernels::kernels_of(device.arch)});
}
