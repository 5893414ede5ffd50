// The supervisor is the parent process of a run. It writes the reports if the run is killed, and ends what a kernel started.
#pragma once

#include <functional>
#include <string>

#include "harness/core/call.h"
#include "harness/run/run.h"

namespace assay {

/// The run's end of the pipe to its supervisor. Its functions do nothing if there is no supervisor.
class Supervised {
 public:
  explicit Supervised(int pipe = -1) : pipe_(pipe) {}

  /// Call it once the library is open. If the run is killed later, the supervisor writes reports for this library.
  void begin(const LibraryInfo& library) const;
  void calls(const CallRequest& request) const;  ///< call it before each call of a kernel
  void judged(const Verdict& verdict) const;     ///< call it with each verdict
  /// A verdict whose cause is not known yet; judged() replaces it later.
  void judged_first(const Verdict& verdict) const;
  /// Call it once the run has written all its reports.
  void wrote_reports() const;

 private:
  void tell(char kind, const std::string& message) const;
  void tell_verdict(char kind, const Verdict& verdict) const;
  int pipe_;
};

/// What the supervisor knows about a killed run. Its verdicts have no tensors.
struct KilledRun {
  RunResult result;  ///< its `ended_by` names the signal that ended the run
  LibraryInfo library;
};

/// Runs `run` in a child process and returns its exit code. If the child is killed after begin() and before wrote_reports(),
/// `report` writes the verdicts so far, and the exit code is 128 plus the signal. Signals from terminals and batch systems are
/// passed to the child; signals from processes that a kernel started are not. When the child ends, all processes that it started
/// are ended. If something stops only the child (SIGSTOP), this process continues it after two seconds.
int supervised(const std::function<int(const Supervised&)>& run, const std::function<void(const KilledRun&)>& report);

// SIGINT, SIGTERM and SIGHUP end a run early but with reports. If a kernel sends such a signal, that is a fault of the kernel.

/// Installs handlers. SIGINT, SIGTERM and SIGHUP only request an end; a second SIGINT ends the process at once, without reports.
/// A signal from a worker's session is recorded for that worker (worker_process.h) and does not end the run. SIGTSTP also stops
/// the workers; SIGCONT continues them.
void end_on_signals();

/// "SIGINT", "SIGTERM" or "SIGHUP" once an end was requested; otherwise nullptr.
const char* ended_by();

/// Exit code that a shell reports for a process ended by the signal: 130, 143 or 129.
int exit_code_of_ending();

}  // namespace assay
