// A kernel library in a process of its own, so that what it does to memory, signals and time ends there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

struct WorkerOptions {
  double timeout_seconds = 60;             ///< for one call, and for loading the library
  std::string program = "/proc/self/exe";  ///< started as `program worker --library PATH`
};

/// Opens a library in this process, with a watch on its device if these folders have one. Throws as open_library().
Backend open_in_process(const std::string& path, const std::string& name, const std::vector<std::filesystem::path>& folders = {});

/// Opens a library in a worker process. Throws as open_library(), and LibraryError if the worker dies or hangs while loading.
///
/// A call that crashes or hangs gives CallStatus::kBroken and names the signal or the time; the next call starts a new worker. So
/// does a call that loses the device.
Backend open_in_worker(const std::string& path, const std::string& name, const WorkerOptions& options);

/// What the worker process does: answers calls until the other side closes its socket. Returns the exit code.
int worker_main(const std::string& library);

}  // namespace assay
