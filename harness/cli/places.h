// Where the program finds its tables and its kernel libraries.
#pragma once

#include <functional>
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

/// Tables of --cases, read instead of the shipped ones, and --op, which names the op of those that have no column `op`.
struct OwnCases {
  std::vector<std::string> files;
  std::string op;
};
OwnCases& own_cases();

/// Opens the rulebook and loads all cases, checked. Throws TableError.
std::vector<Case> open_cases();

/// The selected ones of all cases. Throws UsageError, with near matches, if there is none.
std::vector<Case> selected_of(const std::vector<Case>& all, const Selection& selection);
/// Those of open_cases().
std::vector<Case> open_selected_cases(const Selection& selection);

/// The case of that id, or the only one that the glob matches (of a glob that leaves the warp open: the first of those that differ in
/// warp alone). Throws UsageError with near ids of the same op, or with those that match.
const Case& case_named(const std::vector<Case>& cases, const std::string& id_or_glob);

struct BackendRequest {
  std::string backend;      ///< "cpu"; a path, which is what ends in ".so" or has a '/'; "python:MODULE:KERNEL"
  bool in_process = false;  ///< also a library given by path
  double timeout_seconds = 60;
  std::function<bool()> ended = {};  ///< of a library in a worker: as WorkerOptions::ended
};

/// Whether the library runs in worker processes: one given by path, or kernels in Python.
bool is_in_worker(const BackendRequest& request);

/// Opens libassay_NAME.so beside the program, or in its installed lib/assay/, in this process, or a library given by path or in Python in a worker.
/// Needs an open rulebook. Throws UsageError for an unknown name, LibraryError also for what require_known_offers() refuses,
/// NoDeviceError.
Backend open_backend(const BackendRequest& request);

}  // namespace assay
