// Launch parameters of a grid, equal for every vendor.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace simt {

struct Launch {
  int64_t blocks = 1;
  int threads = 128;           ///< threads per block; a multiple of the warp size
  int warp = 32;               ///< lanes per warp; equals the kernel's template parameter
  void* stream = nullptr;      ///< stream of the vendor's runtime; unused on the CPU
  uint64_t schedule_seed = 1;  ///< seed of the order in which the CPU runs lanes; ignored on devices
};

/// The device or its driver failed. The kernel may still be right.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Device kernels are loaded at their first launch, which may wait for everything that runs on the device (CUDA C++ Programming
// Guide, Lazy Loading, Concurrent Execution). If a running rank waits for a later launch, the kernels must therefore be loaded
// beforehand.

/// While an object lives, launches of this thread only load their kernels.
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
