// A small process in front of a run: it writes the reports of what was judged if the run is killed, and ends what a kernel left behind.
#pragma once

#include <functional>
#include <string>

#include "harness/core/call.h"
#include "harness/run/run.h"

namespace assay {

/// The run's end of the pipe to its supervisor. Without a supervisor nothing is told.
class Supervised {
 public:
  explicit Supervised(int pipe = -1) : pipe_(pipe) {}

  /// From here on a killed run has reports of this library's kernels.
  void begin(const LibraryInfo& library) const;
  void calls(const CallRequest& request) const;
  void judged(const Verdict& verdict) const;
  /// The run wrote all its reports itself.
  void wrote_reports() const;

 private:
  void tell(char kind, const std::string& message) const;
  int pipe_;
};

/// What is known of a run that was killed. Verdicts have no tensors.
struct KilledRun {
  RunResult result;  ///< `ended_by` names the signal
  LibraryInfo library;
};

/// Runs `run` in a child process and returns its exit code. If the child is killed after begin() and before wrote_reports(), `report`
/// writes what it told until then, and the exit code is 128 and the signal. What terminals and batch systems send goes to the child;
/// what a process that a kernel started sends does not. When the child has ended, so does everything that it started; a child that is
/// stopped while this process is not goes on after two seconds.
int supervised(const std::function<int(const Supervised&)>& run, const std::function<void(const KilledRun&)>& report);

}  // namespace assay
