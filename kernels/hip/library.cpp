// libassay_hip.so: Assay's kernels on an AMD GPU. This file is host code only.
#include "assay/hip_plugin.hpp"

#include "kernels/ops/call.h"
#include "kernels/simt/hip_launch.h"

namespace {

struct HipRuntime : assay::hip::Runtime {
  /// Fills in the device's identity. Returns the reason if there is no usable device.
  static std::string identify(assay::plugin::Identity& identity) {
    std::string why = assay::hip::Runtime::identify(identity);
    int index = 0;
    hipDeviceProp_t properties{};
    if (!why.empty() || hipGetDevice(&index) != hipSuccess || hipGetDeviceProperties(&properties, index) != hipSuccess) return why;
    if (properties.warpSize == simt::kDeviceWarp) return "";
    return identity.arch + " has waves of " + std::to_string(properties.warpSize) + " lanes, but this library's kernels are compiled for " +
           std::to_string(simt::kDeviceWarp);
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  assay::plugin::Identity device;
  if (!HipRuntime::identify(device).empty()) (void)HipRuntime::take_last_error();  // describe() reports the missing device
  return assay::plugin::DeviceLibrary<HipRuntime, assay_kernels::Call>::of(
      {{"assay_hip", "", "", "", ""}, assay_kernels::kernels_of(device.arch)});
}
