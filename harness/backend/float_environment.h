// The part of the processor's state that changes what arithmetic gives: rounding, flushing of subnormals, exceptions that trap.
#pragma once

#include <cstdint>
#include <string>

namespace assay {

/// The state of the calling thread at one moment. Flags that arithmetic raises are no part of it.
///
/// Whatever runs a library's code (a call, its constructors, describe()) takes one before and restores it afterwards: otherwise a
/// kernel that rounds downward would change the bits of the next kernel, and of the reference in this process.
class FloatEnvironment {
 public:
  /// Of this thread, now.
  FloatEnvironment();

  /// Puts it back. What had been changed since, in words: "rounds downward, flushes subnormal results to zero (FTZ)"; empty if
  /// nothing had.
  std::string restore() const;

 private:
  std::string changes_to(const FloatEnvironment& now) const;

  uint64_t control_ = 0;  ///< MXCSR without its flags, or FPCR
  uint64_t x87_ = 0;      ///< control word of the x87, 0 elsewhere
};

}  // namespace assay
