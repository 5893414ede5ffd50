// Kernels that wait for peers on the same device hang unless all their blocks are resident at once. resident.cpp wraps the
// runtime's launch functions (linker option --wrap) and rejects launches that would hang.
#pragma once

namespace assay::ranks {

/// While an object lives, launches of this thread are rejected unless the device can hold `copies` of their grid at once.
class AtOnce {
 public:
  explicit AtOnce(int copies);
  AtOnce(const AtOnce&) = delete;
  AtOnce& operator=(const AtOnce&) = delete;
  ~AtOnce();
};

}  // namespace assay::ranks
