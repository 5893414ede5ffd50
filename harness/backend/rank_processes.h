// Processes of one launch that hold ranks together: the first one asks, the others call their part of a library.
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

/// In every process, made before a library is loaded: from here on the processes of the launch know of each other's end.
class RankMeeting {
 public:
  explicit RankMeeting(const Launch& launch);
  ~RankMeeting();

  const Launch& launch() const { return launch_; }

  /// In the first process (throws std::system_error if another one of the job was there already): the same back end, but that calls of several ranks are made by all processes of the launch, each in a
  /// worker of its own. A kernel that dies there ends its case, and the next call has a new worker. Of a process that is gone the first call
  /// is broken; every later call that needs its ranks is not made (CallStatus::kNotCalled). A process that says nothing for the time limit and
  /// kMarginOfProcess is gone.
  Backend with_ranks(Backend backend, const WorkerOptions& options);

  /// In every other process: makes the calls that the first one asks for, on a thread of its own, until that one ends. What goes wrong
  /// goes to `say`. Not called: the first process learns that this one serves no ranks when the meeting goes.
  void serve(const std::string& library, const WorkerOptions& options, const std::function<void(const std::string&)>& say);
  bool serves() const { return serving_.joinable(); }

 private:
  Launch launch_;
  std::unique_ptr<MeetingPoint> point_;  ///< of the first process
  std::exception_ptr why_none_;
  std::future<OpenFile> socket_;         ///< of every other: to the first, once that is there
  std::jthread coming_, serving_;
};

inline constexpr double kMarginOfProcess = 5;  ///< seconds

}  // namespace assay
