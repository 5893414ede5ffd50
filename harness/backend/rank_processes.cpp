#include "harness/backend/rank_processes.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/backend/crossing.h"
#include "harness/backend/rank_members.h"
#include "harness/backend/worker_files.h"
#include "harness/backend/worker_process.h"

namespace assay {
namespace {

/// Heartbeat: while its worker runs, a process sends an empty message once a second.
constexpr std::chrono::seconds kBetweenSigns(1);

/// After the first time the user is told which processes are missing; after the second a missing process counts as gone. All
/// processes connect at once when they start; the first one listens after it has read its tables and loaded its library.
constexpr double kSecondsOfSilence = 5, kSecondsForTheLast = 10;

/// Whether the other end of a connection is closed.
bool is_closed(int socket) {
  pollfd other{socket, POLLRDHUP, 0};
  return ::poll(&other, 1, 0) > 0 && (other.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/// Whether unrequested bytes arrived: the first process no longer wants the answer.
bool has_bytes(int socket) {
  pollfd other{socket, POLLIN, 0};
  return ::poll(&other, 1, 0) > 0;
}

/// The first process's connection to one of the others.
class Elsewhere {
 public:
  Elsewhere(int index, const WorkerOptions& options) : index_(index), options_(options) {}

  int memory() const { return memory_.file(); }
  void came(OpenFile socket) { socket_ = std::move(socket); }

  /// Also detects a process that ended since the last call.
  bool is_gone() {
    if (socket_.number() >= 0 && is_closed(socket_.number())) leave("is gone");
    return socket_.number() < 0;
  }

  void leave(const char* why) {
    if (!said_) std::fprintf(stderr, "assay: process %d of this launch %s\n", index_, why);
    said_ = true;
    socket_ = OpenFile();
  }

  CallResult call(const CallRequest& request, const std::atomic<bool>& give_up) {
    if (socket_.number() < 0) return without_outputs(CallStatus::kBroken, "its process is gone");
    std::string message;
    Received got = send_message(socket_.number(), pack_request(request, memory_)) ? Received::kMessage : Received::kClosed;
    bool told = false;
    const auto stop = [&] {
      if (options_.ended && options_.ended()) return true;
      if (give_up && !told) told = send_message(socket_.number(), "");  // makes it answer at once
      return false;
    };
    while (got == Received::kMessage) {
      got = receive_message(socket_.number(), options_.timeout_seconds + kMarginOfProcess, message, stop);
      if (got == Received::kMessage && !message.empty()) return unpacked(message, request);
    }
    leave(got == Received::kTimeout ? "does not answer: stopped?" : "is gone");
    if (got == Received::kGivenUp) return without_outputs(CallStatus::kBroken, std::string(kNotWaitedFor) + ": the run ended");
    return without_outputs(CallStatus::kBroken, got == Received::kTimeout ? "its process does not answer: stopped?" : "its process ended");
  }

 private:
  CallResult unpacked(const std::string& message, const CallRequest& request) {
    try {
      CallResult result = unpack_result(message, *request.problem, memory_);
      memory_.shrink_to(kKeptBetweenCalls);
      return result;
    } catch (const std::runtime_error& error) {
      leave("answers otherwise than this program");
      return without_outputs(CallStatus::kBroken, std::string("its process sent an invalid answer: ") + error.what());
    }
  }

  int index_;
  const WorkerOptions& options_;
  SharedMemory memory_;
  OpenFile socket_;
  bool said_ = false;
};

/// All processes, this one first. The first call waits for them to connect.
class AllProcesses {
 public:
  AllProcesses(const Launch& launch, MeetingPoint& point, const std::string& library, WorkerOptions options)
      : options_(std::move(options)), point_(point), here_(open_in_worker(library, library, of_own_worker())) {
    members_.push_back(here_.call);
    for (int index = 1; index < launch.count; ++index) {
      others_.push_back(std::make_unique<Elsewhere>(index, options_));
      members_.push_back([other = others_.back().get(), this](const CallRequest& request) { return other->call(request, give_up_); });
    }
  }

  CallResult call(const CallRequest& request) {
    const std::lock_guard lock(mutex_);
    if (!waited_) wait_for_all();
    give_up_ = false;
    for (size_t i = 0; i < others_.size(); ++i) {
      const RankPlace place = place_of(request.problem->ranks, int(i) + 1, int(members_.size()));
      if (others_[i]->is_gone() && place.count > 0)
        return without_outputs(CallStatus::kNotCalled, "not called: the process of " + ranks_text(place) + " is gone");
    }
    return call_members(members_, request, &give_up_);
  }

 private:
  WorkerOptions of_own_worker() {
    WorkerOptions own = options_;
    own.ended = [this] { return give_up_ || (options_.ended && options_.ended()); };
    return own;
  }

  void wait_for_all() {
    waited_ = true;
    for (size_t i = 0; i < others_.size(); ++i) {
      Arrival arrival = point_.next(kSecondsOfSilence, options_.ended);
      if (arrival.index < 0) std::fprintf(stderr, "assay: waiting for %zu processes of this launch\n", others_.size() - i);
      if (arrival.index < 0) arrival = point_.next(kSecondsForTheLast, options_.ended);
      if (arrival.index < 1 || size_t(arrival.index) > others_.size()) break;  // none connected
      Elsewhere& other = *others_[size_t(arrival.index) - 1];
      if (send_file(arrival.socket.number(), other.memory())) other.came(std::move(arrival.socket));
    }
    for (const auto& other : others_)
      if (other->is_gone()) other->leave("is not there");
  }

  WorkerOptions options_;
  MeetingPoint& point_;
  std::atomic<bool> give_up_{false};
  Backend here_;
  std::vector<std::unique_ptr<Elsewhere>> others_;
  std::vector<RankMember> members_;
  std::mutex mutex_;
  bool waited_ = false;
};

/// Serves the requests of the first process until it closes the connection.
void answer_calls(int socket, const std::string& library, const WorkerOptions& options) {
  auto sign = std::chrono::steady_clock::now();
  WorkerOptions own = options;
  bool has_loaded = false;  // until the library is loaded, the next item in the socket is the file with the tensors
  own.ended = [&] {
    const auto now = std::chrono::steady_clock::now();
    if (now - sign >= kBetweenSigns) (void)send_message(socket, ""), sign = now;
    return (has_loaded ? has_bytes(socket) : is_closed(socket)) || (options.ended && options.ended());
  };
  const Backend worker = open_in_worker(library, library, own);
  has_loaded = true;
  const int file = receive_file(socket);
  if (file < 0) return;  // the first process had no request
  SharedMemory memory(file);
  std::string message;
  while (receive_message(socket, -1, message, options.ended) == Received::kMessage) {
    if (message.empty()) continue;  // the first process abandoned a call whose answer was already sent
    const UnpackedRequest unpacked = unpack_request(message, memory);
    CallRequest request = unpacked.request;
    request.problem = &unpacked.problem;
    const CallResult result = worker.call(request);
    if (!send_message(socket, pack_result(result, unpacked.problem, memory))) return;
  }
}

}  // namespace

RankMeeting::RankMeeting(const Launch& launch) : launch_(launch) {
  if (launch_.index == 0) {
    try {
      point_ = std::make_unique<MeetingPoint>(launch_.job);
    } catch (const std::system_error&) {
      why_none_ = std::current_exception();
    }
    return;
  }
  std::promise<OpenFile> come;
  socket_ = come.get_future();
  coming_ = std::jthread([launch, come = std::move(come)](std::stop_token stop) mutable {
    try {
      come.set_value(come_to(launch.job, launch.index, kSecondsToCome, [&] { return stop.stop_requested(); }));
    } catch (...) {
      come.set_exception(std::current_exception());
    }
  });
}

RankMeeting::~RankMeeting() {
  if (!serving_.joinable() || std::uncaught_exceptions() > 0) coming_.request_stop();
}

Backend RankMeeting::with_ranks(Backend backend, const WorkerOptions& options) {
  if (why_none_) std::rethrow_exception(why_none_);
  const auto all = std::make_shared<AllProcesses>(launch_, *point_, backend.library.path, options);
  backend.call = [all, alone = std::move(backend.call)](const CallRequest& request) {
    return request.problem->ranks > 1 ? all->call(request) : alone(request);
  };
  return backend;
}

void RankMeeting::serve(const std::string& library, const WorkerOptions& options, const std::function<void(const std::string&)>& say) {
  serving_ = std::jthread([this, library, options, say] {
    try {
      const OpenFile socket = socket_.get();
      answer_calls(socket.number(), library, options);
    } catch (const std::exception& error) {
      say(error.what());
    }
  });
}

}  // namespace assay
