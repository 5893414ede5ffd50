// One worker: a process that has the library to itself, started when it is needed, and the calls that it answers.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "harness/backend/process.h"
#include "harness/backend/shared_memory.h"
#include "harness/backend/worker.h"
#include "harness/backend/worker_files.h"
#include "harness/core/call.h"

namespace assay {

/// A call that gave nothing but its end.
CallResult without_outputs(CallStatus status, std::string message);

/// What a library said of itself, and what it did to the process while it was loaded.
struct Described {
  std::string description, note;
  bool joins_groups = false;
};

/// One process, started when it is needed.
class Worker {
 public:
  /// `options` has to live as long.
  Worker(std::string path, const WorkerOptions& options) : path_(std::move(path)), options_(options) {}

  /// Starts a process and gives what the library says of itself. Throws as open_in_worker().
  Described start();

  /// Sets `hung` if no answer came in time.
  CallResult call(const CallRequest& request, bool& hung);

  bool is_running() const { return process_.has_value(); }

 private:
  CallResult answer(const CallRequest& request, bool& hung);
  Described read_greeting(const std::string& message, Greeting& kind);
  void end_process();
  CallResult broken(std::string message);

  std::string path_;
  const WorkerOptions& options_;
  SharedMemory memory_;
  std::optional<Process> process_;
};

}  // namespace assay
