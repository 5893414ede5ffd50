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
  /// CPU only. The low kSeedBits bits are the seed of the order in which lanes run. The next 8 bits are a fill byte. If it is not
  /// 0, each thread's stack and each block's shared memory are filled with words made from it. A variable that is read before it
  /// is set then gives a wrong result.
  uint64_t schedule_seed = 1;
  static constexpr int kSeedBits = 40;
  static constexpr uint64_t kSeedMask = (uint64_t{1} << kSeedBits) - 1;
};

/// The device or its driver failed. The kernel may be right or wrong.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A device kernel is loaded at its first launch. Loading may wait until everything that runs on the device has ended (CUDA C++
// Programming Guide, Lazy Loading, Concurrent Execution). If a running rank waits for a kernel that is launched later, this would
// deadlock. Such a kernel must therefore be loaded beforehand.

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
