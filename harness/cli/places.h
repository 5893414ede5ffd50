// Where the program finds its tables and its kernel libraries.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/cases.h"

namespace assay {

/// Folder with suites/ and reference/contracts/: the environment's ASSAY_DATA, else what was installed with the program (its
/// share/assay/), else the source tree of the build.
std::string data_root();

/// Tables of --contracts, read after the shipped ones. Set before anything is opened.
std::vector<std::string>& more_contracts();

/// Opens the rulebook and loads all cases, checked. Throws TableError.
std::vector<Case> open_cases();

/// The selected ones of open_cases(). Throws UsageError, with near matches, if there is none.
std::vector<Case> open_selected_cases(const Selection& selection);

struct BackendRequest {
  std::string backend;      ///< "cpu", or a path, which is what ends in ".so" or has a '/'
  bool in_process = false;  ///< also a library given by path
  double timeout_seconds = 60;
};

/// Opens libassay_NAME.so beside the program, or in its installed lib/assay/, in this process, or a library given by path in a worker.
/// Throws UsageError for an unknown name, LibraryError, NoDeviceError.
Backend open_backend(const BackendRequest& request);

}  // namespace assay
