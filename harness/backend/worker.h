// Worker processes in which a kernel library runs, so that a crash, a wild write, a signal or a hang affects only the worker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/backend/library.h"
#include "harness/core/call.h"

namespace assay {

struct WorkerOptions {
  double timeout_seconds = 60;             ///< limit for one call, and for loading the library
  std::string program =
      "/proc/self/exe";       ///< started as `program before... worker --library PATH`; a name without '/' is looked up in PATH
  uint64_t memory_bytes = 0;  ///< limit in bytes on what one process allocates; 0: half the memory of the machine or container
  std::function<bool()> ended = {};        ///< polled during a call; if it returns true, the call ends at once as kBroken
  std::vector<std::string> before = {};    ///< arguments that stand before `worker`
};

/// Opens a library in this process, with an on-device checker (watch.h) if these folders have one. Throws like open_library().
Backend open_in_process(const std::string& path, const std::string& name, const std::vector<std::filesystem::path>& folders = {});

/// Opens a library in worker processes, one for each kernel, so that late threads, wild writes and sticky device errors
/// of a kernel do not affect others. Throws like open_library(), and LibraryError if the worker dies or hangs while loading.
///
/// A call that crashes or hangs returns CallStatus::kBroken and names the signal or the time; the kernel's next call starts a new
/// process. A call that loses the device is repeated once in a new process. If that process reaches the kernel and loses the
/// device again, the call is kBroken. A kernel that hung several times is not called any more (CallStatus::kNotCalled).
Backend open_in_worker(const std::string& path, const std::string& name, const WorkerOptions& options);

/// Main function of the worker process: answers calls until the other side closes its socket. Returns the exit code.
int worker_main(const std::string& library);
/// worker_main() for a library that `open` returns.
int worker_main(const std::function<Library()>& open);

/// Answers calls in this process. Unlike a worker, it neither changes signals and limits nor ends the process.
/// `socket`, `memory`: descriptors like kWorkerSocket, kWorkerMemory. `contains_crashes`: the process does nothing else, so the
/// harness may make calls that could crash it. Returns true when the harness closes the socket, false if a send fails.
bool serve_calls(const std::function<Library()>& open, int socket, int memory, bool contains_crashes);

}  // namespace assay
