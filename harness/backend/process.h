// A worker process and this side's file descriptors for it.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/backend/worker.h"

namespace assay {

/// The destructor ends the process and everything it started. Any thread may start it and any may use it, one at a time: the
/// process watches its socket, not the thread that started it. It runs in a session of its own. So terminal signals do not reach
/// it, and signals to its own process group do not reach this process.
class Process {
 public:
  /// Throws std::system_error.
  Process(const WorkerOptions& options, const std::string& library, int memory);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  int socket() const { return socket_; }
  pid_t number() const { return process_; }
  /// Becomes readable when the process has ended, even if a child holds its socket open; -1 if the system has no such descriptors
  /// (pidfd).
  int end() const { return end_; }
  /// Returns false if the process still exists some seconds after SIGKILL, because it is in an uninterruptible driver call.
  /// Nobody waits for it then.
  bool kill();

  /// Describes how the process ended. Call it after the socket has closed. Waits a moment first, since a kernel may have closed
  /// the socket and continued.
  std::string exit_text();

 private:
  bool ends_within(int milliseconds);
  void book_end();
  std::string last_words() const;

  pid_t process_ = 0;
  int status_ = 0, socket_ = -1, words_ = -1, end_ = -1;
};

}  // namespace assay
