// What ends a run before or between cases, by exit code. A wrong table is a TableError, a wrong kernel is a Verdict.
#pragma once

#include <stdexcept>

namespace assay {

enum ExitCode : int {
  kAllAsExpected = 0,
  kUnexpected = 1,
  kUsageOrNothingRan = 2,
  kDeviceLost = 3,
  kHarnessFailed = 3,  ///< like a lost device: the run ended early for a reason that is no kernel's
  kNoDevice = 77  ///< CTest's SKIP_RETURN_CODE
};

/// The command line asks for something that does not exist.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The harness cannot do its own work, such as write a recording. Says nothing about any kernel, and ends the run.
struct HarnessError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The kernel library is sound but finds no device to run on.
struct NoDeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace assay
