// Locates tables and kernel libraries.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/cases.h"

namespace assay {

/// Folder with suites/ and reference/contracts/: the environment variable ASSAY_DATA, else share/assay/ of the installation, else
/// the source tree of the build.
std::string data_root();

/// Tables of --contracts, read after the shipped ones. Set it before anything is opened.
std::vector<std::string>& more_contracts();

/// Tables of --cases, read instead of the shipped ones, and --op, the op of tables without a column `op`.
struct OwnCases {
  std::vector<std::string> files;
  std::string op;
};
OwnCases& own_cases();

/// Opens the contract registry and loads all cases. Throws TableError.
std::vector<Case> open_cases();

/// The selected cases. Throws UsageError with similar names if there are none.
std::vector<Case> selected_of(const std::vector<Case>& all, const Selection& selection);
/// The selected cases of open_cases().
std::vector<Case> open_selected_cases(const Selection& selection);

/// The case with that id, or the only one that matches the glob. Matches that differ only in warp size count as one; the first is
/// returned. Throws UsageError with similar ids of the same op, or with the matching ids.
const Case& case_named(const std::vector<Case>& cases, const std::string& id_or_glob);

struct BackendRequest {
  std::string backend;      ///< "cpu", or a path: a text that ends in ".so" or contains '/'
  bool in_process = false;  ///< also loads a library given by path into this process
  double timeout_seconds = 60;
  std::function<bool()> ended = {};  ///< for a library in a worker: see WorkerOptions::ended
};

/// Opens libassay_NAME.so beside the program, or in the installed lib/assay/, in this process; or a library given by path in a
/// worker. Needs an open contract registry. Throws UsageError for an unknown name, LibraryError (also from
/// require_known_offers()), NoDeviceError.
Backend open_backend(const BackendRequest& request);

}  // namespace assay
