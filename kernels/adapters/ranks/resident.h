// Kernels that wait for peers on the same device hang unless blocks of all of them are resident at once. resident.cpp stands
// before the runtime's launches (the linker's --wrap) and refuses what would hang.
#pragma once

namespace assay::ranks {

/// While one lives, this thread's launches are refused unless the device holds `copies` of their grid at once.
class AtOnce {
 public:
  explicit AtOnce(int copies);
  AtOnce(const AtOnce&) = delete;
  AtOnce& operator=(const AtOnce&) = delete;
  ~AtOnce();
};

}  // namespace assay::ranks
