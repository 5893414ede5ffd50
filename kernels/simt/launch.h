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

}  // namespace simt
