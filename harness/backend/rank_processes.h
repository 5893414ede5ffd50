// Ranks divided between the processes of one launch: the first process coordinates, the others run their ranks.
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "harness/backend/launch.h"
#include "harness/backend/meeting_point.h"
#include "harness/backend/worker.h"

namespace assay {

/// Create one in every process before loading a library. From then on each process notices when another one ends.
class RankMeeting {
 public:
  explicit RankMeeting(const Launch& launch);
  ~RankMeeting();

  const Launch& launch() const { return launch_; }

  /// For the first process. Returns a back end that lets all processes of the launch make the calls of several ranks, each
  /// process in its own worker. A kernel that dies there ends its case only; the next call gets a new worker. If a process is
  /// gone, the first call that needs its ranks is broken and later ones are not made (CallStatus::kNotCalled). A process that
  /// sends nothing for the time limit plus kMarginOfProcess counts as gone. Throws std::system_error if the job already has a
  /// first process.
  Backend with_ranks(Backend backend, const WorkerOptions& options);

  /// For every other process: makes the calls that the first process requests, on a thread of its own, until the first process
  /// ends. Errors go to `say`. If serve() is never called, the destructor tells the first process that this one serves no ranks.
  void serve(const std::string& library, const WorkerOptions& options, const std::function<void(const std::string&)>& say);
  bool serves() const { return serving_.joinable(); }

 private:
  Launch launch_;
  std::unique_ptr<MeetingPoint> point_;  ///< first process only
  std::exception_ptr why_none_;
  std::future<OpenFile> socket_;         ///< other processes: connection to the first process, once it listens
  std::jthread coming_, serving_;
};

inline constexpr double kMarginOfProcess = 5;  ///< seconds

}  // namespace assay
