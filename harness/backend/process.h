// A started worker process and the ends of its files that stay here.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/backend/worker.h"

namespace assay {

/// Ends the process and what it started when it goes. Any thread may start one and any may use it, one at a time: the process watches its
/// socket and not the thread that started it. It has a session of its own, so that no signal of a terminal reaches it and none that it
/// sends to its process group reaches this process.
class Process {
 public:
  /// Throws std::system_error.
  Process(const WorkerOptions& options, const std::string& library, int memory);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  int socket() const { return socket_; }
  pid_t number() const { return process_; }
  /// Readable once the process has ended, though a child of it may hold its socket open; -1 where the system has no such files.
  int end() const { return end_; }
  /// False if the process is still there some seconds after SIGKILL: what a driver does for it cannot be interrupted. Nobody waits
  /// for it then.
  bool kill();

  /// After the socket has closed: how the process ended, in words. It is given a moment, for a kernel may have closed the socket
  /// and go on.
  std::string exit_text();

 private:
  bool ends_within(int milliseconds);
  void book_end();
  std::string last_words() const;

  pid_t process_ = 0;
  int status_ = 0, socket_ = -1, words_ = -1, end_ = -1;
};

}  // namespace assay
