// The harness's side of workers: starts worker processes, sends them calls, ends them and their descendants, and stops calling a
// kernel that hung too often.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/backend/worker_messages.h"
#include "harness/core/call.h"

namespace assay {

// The live worker processes of this process. All functions are async-signal-safe unless noted.

void add_live_worker(pid_t worker);
void remove_live_worker(pid_t worker);

/// Not async-signal-safe.
std::vector<pid_t> live_workers();

/// Sends the signal to every live worker and to all processes in its process group.
void signal_live_workers(int signal);

/// The live worker whose session a process belongs to; 0 if there is none.
pid_t worker_of(pid_t process);

/// note_signal_of() stores a signal that came from a worker's session: the kernel sent it by mistake, and the run must not end.
/// take_signal_of() returns the signal and clears it; 0 if none came.
void note_signal_of(pid_t worker, int signal);
int take_signal_of(pid_t worker);

using SignalHandler = void (*)(int signal, siginfo_t* info, void*);

/// From now on, a thread of this function or take_signal_of() passes these signals to `handle`, one at a time. So a signal that a
/// kernel sent is handled before its call returns; a handler of sigaction() might run later, in another thread. Blocks these
/// signals in the calling thread and in threads that it starts later. Not async-signal-safe.
void receive_signals(const sigset_t& signals, SignalHandler handle);

// The descendants of a process, such as processes that a kernel started: how to find and end them.

/// All descendants of `root` according to /proc.
std::vector<pid_t> descendants_of(pid_t root);

/// Sends SIGKILL to all descendants of `root`, except `spared` and their descendants, until none is left. Returns how many there
/// were.
int end_descendants(pid_t root, const std::vector<pid_t>& spared = {});

/// Makes this process the parent of orphaned descendants, so that end_strays() finds them in any session. end_strays() never ends
/// children that exist already.
void adopt_orphans();

/// Lock this mutex from the start of a worker until add_live_worker(), so that end_strays() does not end the worker.
std::mutex& children_mutex();

/// If this process adopts orphans, ends all children that are not live workers: processes that outlived their worker.
int end_strays();

// A worker process and this side's file descriptors for it.

/// The destructor ends the process and everything it started. Any thread may start and use it, one thread at a time: the process
/// ends when its socket is closed, not when the thread that started it ends. It runs in a session of its own, so terminal signals
/// do not reach it, and signals to its process group do not reach this process.
class Process {
 public:
  /// Throws std::system_error.
  Process(const WorkerOptions& options, const std::string& library, int memory);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  int socket() const { return socket_; }
  pid_t number() const { return process_; }
  /// A descriptor (pidfd) that becomes readable when the process has ended, even if a child holds its socket open. -1 if the
  /// system has no pidfd.
  int end() const { return end_; }
  /// Returns false if the process still exists some seconds after SIGKILL, because it is in an uninterruptible driver call.
  /// The process is then left alone.
  bool kill();

  /// Describes how the process ended. Call it when the socket has closed. Waits a moment first: a kernel may have closed the
  /// socket while the process continues.
  std::string exit_text();

  /// Which code of the library the process runs now, as its handler of kWhereAreYou reports; empty if it is silent for 300 ms.
  std::string where(const std::string& library);

 private:
  bool ends_within(int milliseconds);
  void book_end();
  std::string last_words() const;
  std::vector<std::string> last_lines() const;

  pid_t process_ = 0;
  int status_ = 0, socket_ = -1, words_ = -1, end_ = -1;
};

// A worker: a process that loads the library and answers calls. It is started at the first call.

/// A result with status and message only.
CallResult without_outputs(CallStatus status, std::string message);

/// How a library describes itself, and what loading it changed in the process.
struct Described {
  std::string description, note;
  bool joins_groups = false;
  bool contains_crashes = false;  ///< see Backend
};

/// A worker, with at most one process at a time. call() starts a process if there is none.
class Worker {
 public:
  /// Keeps a reference to `options`.
  Worker(std::string path, const WorkerOptions& options) : path_(std::move(path)), options_(options) {}

  /// Starts a process and returns the library's description of itself. Throws as open_in_worker().
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

// When to stop calling a kernel that hangs.

/// Counts a kernel's hangs. Each hang costs the whole time limit: a kernel that hangs in hundreds of cases would take hours.
class HangCount {
 public:
  static constexpr int kMostInARow = 3, kMostInAll = 10;

  void book(bool hung) {
    in_a_row_ = hung ? in_a_row_ + 1 : 0;
    in_all_ += int(hung);
  }

  /// Empty while the kernel may be called.
  std::string why_not_to_call() const {
    if (in_a_row_ < kMostInARow && in_all_ < kMostInAll) return "";
    return "not called: this kernel hung in " + std::to_string(in_all_) +
           " earlier calls; run this case alone to see what it does here";
  }

 private:
  int in_a_row_ = 0, in_all_ = 0;
};

}  // namespace assay
