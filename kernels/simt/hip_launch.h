// Host side of hip_simt.h: launches kernels on an AMD GPU. Without ROCm (no ASSAY_HIP_RUNTIME) nothing can be launched, but
// launch() still names the kernel: device code is generated only for kernels that host code names.
#pragma once

#include <string>
#include <type_traits>

#include "kernels/simt/launch.h"

#ifdef ASSAY_HIP_RUNTIME
#include <hip/hip_runtime.h>
#endif

/// Lanes per wave on the targets of this build: 64 on gfx9, 32 on gfx10 and newer. Host code has no compiler macro for it.
#ifndef ASSAY_HIP_WARP
#define ASSAY_HIP_WARP 64
#endif
#if defined(__GFX9__) && ASSAY_HIP_WARP != 64
#error "gfx9 has waves of 64 lanes: compile with ASSAY_HIP_WARP=64"
#endif

namespace simt {

inline constexpr int kDeviceWarp = ASSAY_HIP_WARP;
inline constexpr int kWarpSizes[] = {kDeviceWarp};
inline constexpr int kWideBytes =
    16;  ///< bytes that a thread of a wide kernel processes at once, so that its wave stores whole cache lines

/// Calls f(std::integral_constant<int, warp>) if `warp` is the warp size of this build; otherwise returns false.
template <class F>
bool with_warp_size(int warp, F f) {
  if (warp != kDeviceWarp) return false;
  f(std::integral_constant<int, kDeviceWarp>{});
  return true;
}

/// Enqueues the grid on its stream and does not wait. Throws DeviceError if the launch fails.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), [[maybe_unused]] const Launch& grid, [[maybe_unused]] Arguments... arguments) {
#ifdef ASSAY_HIP_RUNTIME
  if (grid.blocks == 0) return;  // HIP refuses an empty grid
  kernel<<<dim3(unsigned(grid.blocks)), dim3(unsigned(grid.threads)), 0, static_cast<hipStream_t>(grid.stream)>>>(arguments...);
  const hipError_t error = hipGetLastError();
  if (error != hipSuccess) throw DeviceError(std::string("launch: ") + hipGetErrorString(error));
#else
  if (kernel) throw DeviceError("launch: this library was built without a HIP runtime");
#endif
}

/// Waits for the work on the stream.
inline void wait_for_stream([[maybe_unused]] void* stream) {
#ifdef ASSAY_HIP_RUNTIME
  const hipError_t error = hipStreamSynchronize(static_cast<hipStream_t>(stream));
  if (error != hipSuccess) throw DeviceError(std::string("wait: ") + hipGetErrorString(error));
#endif
}

}  // namespace simt
