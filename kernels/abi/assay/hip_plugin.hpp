// Helper for authors of HIP plug-ins. You write one table row and one function per kernel. This header supplies the rest of the C
// ABI: memory, streams, graphs, errors, tensors by role, describe() and exceptions. C++17, host code; link the HIP runtime, or
// libassay_hip_runtime.so, which executes AMD code objects on the CPU. Example: kernels/example_plugin/my_rms_norm.hip.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hip/hip_runtime_api.h>

#include "assay/plugin/library.hpp"

namespace assay::plugin {
#ifdef __clang__
template <>
struct Element<_Float16> : ElementOf<ASSAY_FLOAT, 16> {};
template <>
struct Element<__bf16> : ElementOf<ASSAY_BFLOAT, 16> {};
#endif
}  // namespace assay::plugin

namespace assay::hip {

using plugin::failed;
using plugin::unsupported;
using plugin::View;
using plugin::with_type;

class Call : public plugin::Call {
 public:
  using plugin::Call::Call;
  hipStream_t stream() const { return static_cast<hipStream_t>(raw().stream); }
};

using Kernel = plugin::KernelOf<Call>;

struct Runtime {
  using Error = hipError_t;
  static constexpr Error kSuccess = hipSuccess;

  static std::string version(int number) { return std::to_string(number / 10000000) + "." + std::to_string(number / 100000 % 100); }
  /// Fills in the device's identity. Returns the reason if there is no device, else "".
  static std::string identify(plugin::Identity& identity) {
    int runtime = 0, driver = 0, index = 0;
    hipDeviceProp_t properties{};
    if (hipRuntimeGetVersion(&runtime) == kSuccess) identity.toolkit = version(runtime);
    if (hipDriverGetVersion(&driver) == kSuccess && driver != 0) identity.driver = version(driver);
    Error error = hipGetDevice(&index);
    if (error == kSuccess) error = hipGetDeviceProperties(&properties, index);
    if (error != kSuccess) return std::string("no HIP device: ") + hipGetErrorString(error);
    identity.arch = properties.gcnArchName;
    identity.device = properties.name;
    return "";
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

  /// Maps HIP errors to status codes as abi.h describes: kernel errors are sticky, errors of rejected calls are not, and all
  /// other errors count as a lost device.
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

/// Returns the result of assay_get_library(). Table rows that accept no particular "warp" get 64 lanes, as on gfx9.
inline const assay_library* library(const std::string& name, std::vector<Kernel> kernels, assay_status other_exceptions = ASSAY_FAILED) {
  for (Kernel& kernel : kernels) {
    bool says = false;
    for (const auto& [parameter, values] : kernel.accepts) says = says || parameter == "warp";
    if (!says) kernel.accepts.push_back({"warp", {64}});
  }
  return plugin::DeviceLibrary<Runtime, Call>::of({{name, "", "", "", ""}, std::move(kernels), other_exceptions});
}

}  // namespace assay::hip
