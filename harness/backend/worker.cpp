// The harness's side of the process boundary.
#include "harness/backend/worker.h"

#include <unistd.h>

#include <cstdio>
#include <list>
#include <memory>
#include <optional>

#include "harness/backend/crash_words.h"
#include "harness/backend/crossing.h"
#include "harness/backend/exit_notice.h"
#include "harness/backend/hang_count.h"
#include "harness/backend/library.h"
#include "harness/backend/process.h"
#include "harness/backend/runner.h"
#include "harness/backend/watch.h"
#include "harness/backend/worker_files.h"
#include "harness/text/error.h"

namespace assay {
namespace {

std::string seconds_in_words(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

/// Once, when the library is opened: what it did to this process changes no verdict, but its author should know.
void say_notes(const LibraryInfo& info) {
  for (const std::string& note : info.notes) std::fprintf(stderr, "assay: %s: %s\n", info.path.c_str(), note.c_str());
}

CallResult without_outputs(CallStatus status, std::string message) {
  CallResult result;
  result.status = status;
  result.message = std::move(message);
  return result;
}

/// What a library said of itself, and what it did to the process while it was loaded.
struct Described {
  std::string description, note;
  bool joins_groups = false;
};

/// One process, started when it is needed.
class Worker {
 public:
  Worker(std::string path, const WorkerOptions& options) : path_(std::move(path)), options_(options) {}

  /// Starts a process and gives what the library says of itself.
  Described start() {
    process_.emplace(options_, path_, memory_.file());
    MessageWriter settings;
    settings.number<uint64_t>(options_.memory_bytes);
    send_message(process_->socket(), settings.bytes());  // a worker that is gone already is noticed below
    std::string message;
    switch (receive_message(process_->socket(), options_.timeout_seconds, message, options_.ended)) {
      case Received::kMessage:
        break;
      case Received::kClosed: {
        const std::string end = process_->exit_text();
        process_.reset();
        throw LibraryError(path_ + ": " + end + ", while it was loaded");
      }
      case Received::kTimeout:
        end_process();
        throw LibraryError(path_ + ": not loaded within " + seconds_in_words(options_.timeout_seconds));
      case Received::kGivenUp:
        end_process();
        throw LibraryError(path_ + ": not waited for: the run ended");
      case Received::kTooLong:
        end_process();
        throw LibraryError(path_ + ": wrote into the worker's socket while it was loaded");
    }
    Greeting kind{};
    const Described described = read_greeting(message, kind);
    if (kind == Greeting::kReady) return described;
    process_.reset();
    if (kind == Greeting::kNoDevice) throw NoDeviceError(described.description);
    throw LibraryError(described.description);
  }

  CallResult call(const CallRequest& request, bool& hung) {
    try {
      if (!process_) start();
    } catch (const std::exception& error) {
      CallResult lost =
          without_outputs(CallStatus::kDeviceLost, std::string("the worker cannot be started again: ") + error.what());
      lost.reached_kernel = false;
      return lost;
    }
    std::string message;
    const bool sent = send_message(process_->socket(), pack_request(request, memory_));
    switch (sent ? receive_message(process_->socket(), options_.timeout_seconds, message, options_.ended) : Received::kClosed) {
      case Received::kMessage:
        break;
      case Received::kClosed:
        return broken(process_->exit_text());
      case Received::kTimeout:
        hung = true;
        return broken("hung: no answer within " + seconds_in_words(options_.timeout_seconds) +
                      (process_->kill() ? "" : ", and its process does not end when it is killed"));
      case Received::kGivenUp:
        process_->kill();
        return broken("not waited for: the run ended");
      case Received::kTooLong:
        process_->kill();
        return broken("wrote into the worker's socket");
    }
    try {
      CallResult result = unpack_result(message, *request.problem, memory_);
      memory_.shrink_to(kKeptBetweenCalls);
      if (result.poisoned) process_.reset();
      return result;
    } catch (const std::runtime_error& error) {
      process_->kill();
      return broken(std::string("damaged the worker, whose answer is none: ") + error.what());
    }
  }

  bool is_running() const { return process_.has_value(); }

 private:
  Described read_greeting(const std::string& message, Greeting& kind) {
    try {
      MessageReader in(message);
      if (in.number<uint32_t>() != kWorkerProtocol) throw std::runtime_error("it begins otherwise");
      kind = Greeting(in.number<uint8_t>());
      return {in.text(), in.text(), in.number<uint8_t>() != 0};
    } catch (const std::runtime_error& error) {
      end_process();
      throw LibraryError(path_ + ": the first message of worker " + options_.program + " is none (" + error.what() +
                         "): a program of another build than this one?");
    }
  }
  void end_process() {
    process_->kill();
    process_.reset();
  }
  CallResult broken(std::string message) {
    process_.reset();
    return without_outputs(CallStatus::kBroken, std::move(message));
  }

  std::string path_;
  const WorkerOptions& options_;
  SharedMemory memory_;
  std::optional<Process> process_;
};

/// A worker for each kernel; beyond kMost the one that was not used for the longest time ends.
class Workers {
 public:
  Workers(std::string path, WorkerOptions options) : path_(std::move(path)), options_(std::move(options)) {
    own_.emplace_front(Own{"", std::make_unique<Worker>(path_, options_), {}});
  }

  Described start() { return own_.front().worker->start(); }

  CallResult call(const CallRequest& request) {
    Own& own = own_of(request.kernel);
    if (const std::string why_not = own.hangs.why_not_to_call(); !why_not.empty())
      return without_outputs(CallStatus::kNotCalled, why_not);
    bool hung = false;
    CallResult result = own.worker->call(request, hung);
    if (result.status == CallStatus::kDeviceLost) result = call_again(own, request, result, hung);
    own.hangs.book(hung);
    return result;
  }

 private:
  static constexpr size_t kMost = 16;

  struct Own {
    std::string kernel;
    std::unique_ptr<Worker> worker;
    HangCount hangs;
  };

  /// A new process tells a device that is gone from one that the call, or an earlier one of this kernel, made useless.
  static CallResult call_again(Own& own, const CallRequest& request, const CallResult& first, bool& hung) {
    CallResult again = own.worker->call(request, hung);
    if (again.status != CallStatus::kDeviceLost || !again.reached_kernel || !first.reached_kernel) return again;
    again.status = CallStatus::kBroken;
    again.message =
        "loses the device: " + again.message + "; so it did in another process before, and the device was there before each call";
    return again;
  }

  Own& own_of(const std::string& kernel) {
    for (auto at = own_.begin(); at != own_.end(); ++at) {
      if (at->kernel != kernel && !at->kernel.empty()) continue;
      at->kernel = kernel;  // the first one was started for describe() alone
      own_.splice(own_.begin(), own_, at);
      return own_.front();
    }
    own_.emplace_front(Own{kernel, std::make_unique<Worker>(path_, options_), {}});
    size_t running = 0;
    for (Own& own : own_)
      if (own.worker->is_running() && ++running >= kMost) own.worker = std::make_unique<Worker>(path_, options_);
    return own_.front();
  }

  std::string path_;
  WorkerOptions options_;
  std::list<Own> own_;  ///< the one that was used last comes first
};

}  // namespace

Backend open_in_process(const std::string& path, const std::string& name, const std::vector<std::filesystem::path>& folders) {
  Library library = open_library(path);
  const FoundWatch found = find_watch(library, folders);
  if (!found.why_none.empty()) library.info.notes.push_back(found.why_none);
  say_notes(library.info);
  speak_of_crashes(STDERR_FILENO, "assay: ");
  const auto runner = std::make_shared<Runner>(library.functions);
  Backend backend{name, library.info, [runner, path](const CallRequest& request) {
                    const ExitNotice notice(path, request);
                    return runner->call(request);
                  }};
  if (const std::shared_ptr<Watch>& watch = found.watch)
    backend.watched_call = [watch, path](const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps) {
      const ExitNotice notice(path, request);
      return watch->call(request, first, steps);
    };
  return backend;
}

Backend open_in_worker(const std::string& path, const std::string& name, const WorkerOptions& options) {
  const auto workers = std::make_shared<Workers>(path, options);
  const Described described = workers->start();
  LibraryInfo info = parse_description(described.description, path);
  if (!described.note.empty()) info.notes.push_back(described.note);
  info.joins_groups = described.joins_groups;
  say_notes(info);
  return {name, info, [workers](const CallRequest& request) { return workers->call(request); }};
}

}  // namespace assay
