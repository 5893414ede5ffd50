// Locates tables and kernel libraries.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/cases.h"
#include "suites/registry.h"

namespace assay {

/// Folder with suites/ and reference/contracts/: the environment variable ASSAY_DATA, else share/assay/ of the installation, else
/// the source tree of the build.
std::string data_root();

/// Tables of the user.
struct UserTables {
  std::vector<std::string> contracts;  ///< read after the shipped ones
  std::vector<std::string> cases;      ///< read instead of the shipped ones; empty: those are read
  std::string op;                      ///< of case tables that have no column `op`
};

/// What a verb works on. main() makes it.
struct Suites {
  std::shared_ptr<const OpRegistry> ops;
  UserTables tables;
};

/// Opens the contract registry: the shipped rows and the user's. Throws TableError.
void open_contracts(const Suites& suites);

/// Opens the contract registry and loads all cases, checked. Throws TableError.
std::vector<Case> open_cases(const Suites& suites);

/// The selected cases. Throws UsageError with similar names if there are none.
std::vector<Case> selected_of(const std::vector<Case>& all, const Selection& selection);
/// Those of open_cases().
std::vector<Case> open_selected_cases(const Suites& suites, const Selection& selection);

/// The case with that id, or the only one that matches the glob. Matches that differ only in warp size count as one; the first is
/// returned. Throws UsageError with similar ids of the same op, or with the matching ids.
const Case& case_named(const std::vector<Case>& cases, const std::string& id_or_glob);

struct BackendRequest {
  std::string backend;      ///< "cpu"; a path, which is what ends in ".so" or has a '/'; "python:MODULE:KERNEL"
  bool in_process = false;  ///< also a library given by path
  double timeout_seconds = 60;
  std::function<bool()> ended = {};  ///< for a library in a worker: see WorkerOptions::ended
};

/// Whether the library runs in worker processes: one given by path, or kernels in Python.
bool is_in_worker(const BackendRequest& request);

/// Opens libassay_NAME.so beside the program, or in its installed lib/assay/, in this process, or a library given by path or in Python in a worker.
/// Needs an open rulebook. Throws UsageError for an unknown name, LibraryError also for what require_known_offers() refuses,
/// NoDeviceError.
Backend open_backend(const OpRegistry& ops, const BackendRequest& request);

}  // namespace assay
