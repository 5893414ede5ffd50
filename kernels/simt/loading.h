// Kernels of a device are loaded when they are first launched, which may wait for all that runs there (CUDA C++ Programming
// Guide, Lazy Loading, Concurrent Execution). Where a rank that runs waits for a launch that comes later, kernels must have been
// loaded before.
#pragma once

namespace simt {

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
