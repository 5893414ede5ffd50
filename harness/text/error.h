// Errors that end a run, with exit codes. A wrong table is a TableError; a wrong kernel is a Verdict.
#pragma once

#include <stdexcept>

namespace assay {

enum ExitCode : int {
  kAllAsExpected = 0,
  kUnexpected = 1,
  kUsageOrNothingRan = 2,
  kDeviceLost = 3,
  kHarnessFailed = 3,  ///< also for a lost device: the run ended early for a reason that is not the kernel's
  kNoDevice = 77  ///< CTest's SKIP_RETURN_CODE
};

/// The command line asks for something that does not exist.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The harness failed at its own work, such as writing a recording. Ends the run and says nothing about any kernel.
struct HarnessError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The kernel library is valid but finds no device.
struct NoDeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace assay
