#include "harness/backend/rank_processes.h"

#include <memory>
#include <mutex>
#include <vector>

#include "harness/backend/crossing.h"
#include "harness/backend/meeting_point.h"
#include "harness/backend/rank_members.h"
#include "harness/backend/worker_files.h"

namespace assay {
namespace {

CallResult broken(std::string message) {
  CallResult result;
  result.status = CallStatus::kBroken;
  result.message = std::move(message);
  return result;
}

/// The first process's end of a connection to another one.
class Elsewhere {
 public:
  explicit Elsewhere(const WorkerOptions& options) : options_(options) {}

  int memory() const { return memory_.file(); }
  void came(OpenFile socket) { socket_ = std::move(socket); }

  CallResult call(const CallRequest& request) {
    if (socket_.number() < 0) return broken("its process is not there");
    std::string message;
    const bool sent = send_message(socket_.number(), pack_request(request, memory_));
    // Its process waits no longer for its worker than the options say.
    const Received got = sent ? receive_message(socket_.number(), -1, message, options_.ended) : Received::kClosed;
    if (got == Received::kMessage) try {
        CallResult result = unpack_result(message, *request.problem, memory_);
        memory_.shrink_to(kKeptBetweenCalls);
        return result;
      } catch (const std::runtime_error&) {
      }
    socket_ = OpenFile();
    return broken(got == Received::kGivenUp ? "not waited for: the run ended" : "its process ended");
  }

 private:
  const WorkerOptions& options_;
  SharedMemory memory_;
  OpenFile socket_;
};

/// All processes, this one first. They are waited for at the first call.
class AllProcesses {
 public:
  AllProcesses(const Launch& launch, const std::string& library, WorkerOptions options)
      : options_(std::move(options)), point_(launch.job), here_(open_in_worker(library, library, options_)) {
    members_.push_back(here_.call);
    for (int index = 1; index < launch.count; ++index) {
      others_.push_back(std::make_unique<Elsewhere>(options_));
      members_.push_back([other = others_.back().get()](const CallRequest& request) { return other->call(request); });
    }
  }

  CallResult call(const CallRequest& request) {
    const std::lock_guard lock(mutex_);
    if (!waited_) wait_for_all();
    return call_members(members_, request);
  }

 private:
  void wait_for_all() {
    waited_ = true;
    for (size_t i = 0; i < others_.size(); ++i) {
      Arrival arrival = point_.next(kSecondsToCome, options_.ended);
      if (arrival.index < 1 || size_t(arrival.index) > others_.size()) return;  // none came
      Elsewhere& other = *others_[size_t(arrival.index) - 1];
      if (send_file(arrival.socket.number(), other.memory())) other.came(std::move(arrival.socket));
    }
  }

  WorkerOptions options_;
  MeetingPoint point_;
  Backend here_;
  std::vector<std::unique_ptr<Elsewhere>> others_;
  std::vector<RankMember> members_;
  std::mutex mutex_;
  bool waited_ = false;
};

}  // namespace

Backend with_ranks_in_processes(Backend backend, const Launch& launch, const WorkerOptions& options) {
  const auto all = std::make_shared<AllProcesses>(launch, backend.library.path, options);
  backend.call = [all, alone = std::move(backend.call)](const CallRequest& request) {
    return request.problem->ranks > 1 ? all->call(request) : alone(request);
  };
  return backend;
}

void serve_ranks(const Launch& launch, const std::string& library, const WorkerOptions& options) {
  const Backend worker = open_in_worker(library, library, options);
  const OpenFile socket = come_to(launch.job, launch.index, kSecondsToCome, options.ended);
  const int file = receive_file(socket.number());
  if (file < 0) return;  // the first process had nothing to ask
  SharedMemory memory(file);
  std::string message;
  while (receive_message(socket.number(), -1, message, options.ended) == Received::kMessage) {
    const UnpackedRequest unpacked = unpack_request(message, memory);
    CallRequest request = unpacked.request;
    request.problem = &unpacked.problem;
    const CallResult result = worker.call(request);
    if (!send_message(socket.number(), pack_result(result, unpacked.problem, memory))) return;
  }
}

}  // namespace assay
