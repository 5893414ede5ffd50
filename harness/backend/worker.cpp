// The harness's side of the wall.
#include "harness/backend/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "harness/backend/crossing.h"
#include "harness/backend/exit_notice.h"
#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/backend/watch.h"
#include "harness/backend/worker_files.h"
#include "harness/core/error.h"

extern char** environ;

namespace assay {
namespace {

std::string seconds_in_words(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

/// A started process and the socket to it. Ends the process when it goes.
class Process {
 public:
  Process(const WorkerOptions& options, const std::string& library, int memory) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw std::system_error(errno, std::generic_category(), "worker");
    socket_ = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 16);
    const int theirs = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 16);  // above the numbers that the child gets
    ::close(ends[0]);
    ::close(ends[1]);

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, theirs, kWorkerSocket);
    posix_spawn_file_actions_adddup2(&files, memory, kWorkerMemory);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);  // what a kernel prints must not stand in a report
    std::string program = options.program, verb = "worker", flag = "--library", path = library;
    char* arguments[] = {program.data(), verb.data(), flag.data(), path.data(), nullptr};
    const int error = ::posix_spawn(&process_, program.c_str(), &files, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    ::close(theirs);
    if (error != 0) {
      ::close(socket_);
      throw std::system_error(error, std::generic_category(), "cannot start a worker from " + options.program);
    }
  }
  Process(const Process&) = delete;

  ~Process() {
    ::close(socket_);
    if (process_ <= 0) return;
    for (int wait = 0; wait < 1000; ++wait) {  // it ends by itself when its socket closes, unless it hangs
      if (::waitpid(process_, nullptr, WNOHANG) != 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    kill();
  }

  int socket() const { return socket_; }

  void kill() {
    ::kill(process_, SIGKILL);
    reap();
  }

  /// After the socket has closed: how the process ended, in words.
  std::string epitaph() {
    const int status = reap();
    if (WIFSIGNALED(status)) {
      const char* name = ::sigabbrev_np(WTERMSIG(status));
      return "crashed: SIG" + std::string(name != nullptr ? name : std::to_string(WTERMSIG(status)).c_str());
    }
    return "ended its process with exit code " + std::to_string(WEXITSTATUS(status));
  }

 private:
  int reap() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) continue;
    process_ = 0;
    return status;
  }

  pid_t process_ = 0;
  int socket_ = -1;
};

class Worker {
 public:
  Worker(std::string path, WorkerOptions options) : path_(std::move(path)), options_(std::move(options)) {}

  /// Starts a process and gives the library's description.
  std::string start() {
    process_.emplace(options_, path_, memory_.file());
    std::string message;
    switch (receive_message(process_->socket(), options_.timeout_seconds, message)) {
      case Received::kMessage:
        break;
      case Received::kClosed: {
        const std::string end = process_->epitaph();
        process_.reset();
        throw LibraryError(path_ + ": " + end + " while it was loaded");
      }
      case Received::kTimeout:
        process_->kill();
        process_.reset();
        throw LibraryError(path_ + ": not loaded within " + seconds_in_words(options_.timeout_seconds));
    }
    MessageReader in(message);
    const Greeting kind = Greeting(in.number<uint8_t>());
    std::string text = in.text();
    if (kind == Greeting::kReady) return text;
    process_.reset();
    if (kind == Greeting::kNoDevice) throw NoDeviceError(text);
    throw LibraryError(text);
  }

  CallResult call(const CallRequest& request) {
    try {
      if (!process_) start();
    } catch (const std::exception& error) {
      return broken(CallStatus::kDeviceLost, std::string("the worker cannot be started again: ") + error.what());
    }
    if (!send_message(process_->socket(), pack_request(request, memory_))) return buried(process_->epitaph());
    std::string message;
    switch (receive_message(process_->socket(), options_.timeout_seconds, message)) {
      case Received::kMessage:
        break;
      case Received::kClosed:
        return buried(process_->epitaph());
      case Received::kTimeout:
        process_->kill();
        return buried("hung: no answer within " + seconds_in_words(options_.timeout_seconds));
    }
    CallResult result = unpack_result(message, *request.problem, memory_);
    if (result.status == CallStatus::kDeviceLost) process_.reset();
    return result;
  }

 private:
  static CallResult broken(CallStatus status, std::string message) {
    CallResult result;
    result.status = status;
    result.message = std::move(message);
    return result;
  }
  CallResult buried(std::string message) {
    process_.reset();
    return broken(CallStatus::kBroken, std::move(message));
  }

  std::string path_;
  WorkerOptions options_;
  SharedMemory memory_;
  std::optional<Process> process_;
};

}  // namespace

Backend open_in_process(const std::string& path, const std::string& name, const std::vector<std::filesystem::path>& folders) {
  const Library library = open_library(path);
  const auto runner = std::make_shared<Runner>(library.functions);
  Backend backend{name, library.info, [runner, path](const CallRequest& request) {
                    const ExitNotice notice(path, request);
                    return runner->call(request);
                  }};
  if (const auto watch = find_watch(library, folders))
    backend.watched_call = [watch, path](const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps) {
      const ExitNotice notice(path, request);
      return watch->call(request, first, steps);
    };
  return backend;
}

Backend open_in_worker(const std::string& path, const std::string& name, const WorkerOptions& options) {
  const auto worker = std::make_shared<Worker>(path, options);
  const LibraryInfo info = parse_description(worker->start(), path);
  return {name, info, [worker](const CallRequest& request) { return worker->call(request); }};
}

}  // namespace assay
