// Loads a kernel library: opens it, checks its ABI version and reads its description. Restores the floating-point state that
// loading may change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "assay/abi.h"
#include "harness/core/call.h"
#include "reference/table/near.h"

namespace assay {

/// Thrown for a library that cannot be used. The message is one line that starts with the path. Text from the library is made
/// printable and shortened.
struct LibraryError : std::runtime_error {
  explicit LibraryError(const std::string& problem) : std::runtime_error(message_text(problem)) {}
};

/// An open library. The library stays loaded while a copy of `functions` exists.
struct Library {
  LibraryInfo info;
  std::string description;  ///< the JSON of describe()
  std::shared_ptr<const assay_library> functions;
};

/// Opens a shared object with local symbols (RTLD_LOCAL). Throws LibraryError for: no such file, not a loadable object, no
/// assay_get_library, another ABI version, a description that violates abi.h. Throws NoDeviceError if assay_get_library() returns
/// NULL, or if the library has device memory and cannot allocate any.
Library open_library(const std::string& path);

/// Wraps functions that are already loaded; they must live as long as `keep_alive`. Throws as open_library().
Library library_of(const assay_library& functions, const std::string& path, std::shared_ptr<void> keep_alive);

/// Reads the JSON of describe(). Throws LibraryError with the path and the wrong place in the JSON.
LibraryInfo parse_description(const std::string& json, const std::string& path);

/// Checks version, struct size, mandatory functions, and that functions that depend on each other are all set or all NULL. Throws
/// LibraryError.
void check_functions(const assay_library& functions, const std::string& path);

/// Copies the functions into this program's assay_library; functions that an older library lacks are NULL. The result keeps
/// `keep_alive` alive.
std::shared_ptr<const assay_library> of_this_size(const assay_library& functions, std::shared_ptr<void> keep_alive);

// Floating-point control state of the processor: rounding mode, flushing of subnormals, trapped exceptions.

/// The state of the calling thread at one moment. Exception flags are not included.
///
/// Create one before running code of a library (a call, its constructors, describe()) and restore it afterwards. Otherwise a
/// kernel that sets rounding downward would change the results of the next kernel, and of the reference in this process.
class FloatEnvironment {
 public:
  /// Captures the state of this thread.
  FloatEnvironment();

  /// Restores the state. Describes what had changed: "rounds downward, flushes subnormal results to zero (FTZ)". Empty if
  /// nothing had.
  std::string restore() const;

 private:
  std::string changes_to(const FloatEnvironment& now) const;

  uint64_t control_ = 0;  ///< MXCSR without its exception flags (x86), or FPCR (Arm)
  uint64_t x87_ = 0;      ///< x87 control word; 0 on other architectures
};

}  // namespace assay
