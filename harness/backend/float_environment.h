// Floating-point control state of the processor: rounding mode, flushing of subnormals, trapped exceptions.
#pragma once

#include <cstdint>
#include <string>

namespace assay {

/// The state of the calling thread at one moment. Exception flags are not included.
///
/// Create one before running code of a library (a call, its constructors, describe()) and restore it afterwards. Otherwise a
/// kernel that sets rounding downward would change the results of the next kernel, and of the reference in this process.
class FloatEnvironment {
 public:
  /// Captures the state of this thread.
  FloatEnvironment();

  /// Restores the state. Returns a description of what had changed: "rounds downward, flushes subnormal results to zero (FTZ)";
  /// empty if nothing had.
  std::string restore() const;

 private:
  std::string changes_to(const FloatEnvironment& now) const;

  uint64_t control_ = 0;  ///< MXCSR without its exception flags (x86), or FPCR (Arm)
  uint64_t x87_ = 0;      ///< x87 control word; 0 on other architectures
};

}  // namespace assay
