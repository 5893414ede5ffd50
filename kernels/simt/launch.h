// How a grid is started, the same for every vendor.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace simt {

struct Launch {
  int64_t blocks = 1;
  int threads = 128;           ///< per block; a multiple of the warp size
  int warp = 32;               ///< lanes per warp; equals the kernel's template parameter
  void* stream = nullptr;      ///< of the vendor's runtime; the CPU has none
  uint64_t schedule_seed = 1;  ///< order in which the CPU runs lanes; ignored by devices
};

/// The device or its driver failed, which says nothing about the kernel.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Kernels of a device are loaded when they are first launched, which may wait for all that runs there (CUDA C++ Programming
// Guide, Lazy Loading, Concurrent Execution). Where a rank that runs waits for a launch that comes later, kernels must have been
// loaded before.

/// While one lives, launches of this thread load their kernels and start nothing.
class LoadScope {
 public:
  LoadScope() { active() = true; }
  LoadScope(const LoadScope&) = delete;
  LoadScope& operator=(const LoadScope&) = delete;
  ~LoadScope() { active() = false; }
  static bool& active() {
    static thread_local bool loads = false;
    return loads;
  }
};

}  // namespace simt
