// Both sides of a worker: opening a library in worker processes, and the main function of such a process.
#include "harness/backend/worker.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "harness/backend/crash_report.h"
#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/backend/watch.h"
#include "harness/backend/worker_messages.h"
#include "harness/backend/worker_process.h"
#include "harness/core/tensor.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

// The harness's side of the process boundary.

/// Prints LibraryInfo::notes when a library is opened. These side effects of loading change no verdict, but the library's author
/// should know them.
void say_notes(const LibraryInfo& info) {
  for (const std::string& note : info.notes) std::fprintf(stderr, "assay: %s: %s\n", info.path.c_str(), note.c_str());
}

/// One worker per kernel. If more than kMost would run, the least recently used one is ended.
class Workers {
 public:
  Workers(std::string path, WorkerOptions options) : path_(std::move(path)), options_(std::move(options)) {
    own_.emplace_front(Own{"", std::make_unique<Worker>(path_, options_), {}});
  }

  Described start() { return own_.front().worker->start(); }

  CallResult call(const CallRequest& request) {
    const std::lock_guard one_at_a_time(mutex_);
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

  /// Repeats a call that lost the device, in a new process. If the device works in the new process until the call, and the call
  /// loses it again, the kernel is the cause. Otherwise the device is gone for good, or the second call succeeds.
  static CallResult call_again(Own& own, const CallRequest& request, const CallResult& first, bool& hung) {
    CallResult again = own.worker->call(request, hung);
    if (again.status != CallStatus::kDeviceLost || !again.reached_kernel || !first.reached_kernel) return again;
    again.status = CallStatus::kBroken;
    again.message =
        "loses the device: " + again.message + "; the same happened in another process, and the device worked before each call";
    return again;
  }

  Own& own_of(const std::string& kernel) {
    for (auto at = own_.begin(); at != own_.end(); ++at) {
      if (at->kernel != kernel && !at->kernel.empty()) continue;
      at->kernel = kernel;  // the first worker had been started for describe() only
      own_.splice(own_.begin(), own_, at);
      return own_.front();
    }
    own_.emplace_front(Own{kernel, std::make_unique<Worker>(path_, options_), {}});
    size_t running = 0;
    for (Own& own : own_)
      if (own.worker->is_running() && ++running >= kMost) own.worker = std::make_unique<Worker>(path_, options_);
    return own_.front();
  }

  std::mutex mutex_;
  std::string path_;
  WorkerOptions options_;
  std::list<Own> own_;  ///< most recently used first
};

}  // namespace

Backend open_in_process(const std::string& path, const std::string& name, const std::vector<std::filesystem::path>& folders) {
  Library library = open_library(path);
  const FoundWatch found = find_watch(library, folders);
  if (!found.why_none.empty()) library.info.notes.push_back(found.why_none);
  say_notes(library.info);
  speak_of_crashes(STDERR_FILENO, "assay: ");
  const auto runner = std::make_shared<Runner>(library.functions);
  const auto mutex = std::make_shared<std::mutex>();
  Backend backend{name, library.info, [runner, mutex, path](const CallRequest& request) {
                    const std::lock_guard one_at_a_time(*mutex);
                    const ExitNotice notice(path, request);
                    CallResult result = runner->call(request);
                    if (result.status != CallStatus::kOk) result.message = with_source_lines(result.message, path);
                    if (!result.undefined.empty()) result.undefined = with_source_lines(result.undefined, path);
                    return result;
                  }};
  if (const std::shared_ptr<Watch>& watch = found.watch)
    backend.watched_call = [watch, mutex, path](const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps) {
      const std::lock_guard one_at_a_time(*mutex);
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
  return {name, info, [workers](const CallRequest& request) { return workers->call(request); }, {}, described.contains_crashes};
}

namespace {

// Limits of a worker process, and the conditions under which it ends itself.

/// Limits what this process allocates from now on to `bytes` (0: half of the memory of the machine or container); requests beyond
/// it fail. Also makes it the first process that the system kills when memory runs out.
void limit_memory(uint64_t bytes);

/// Ends this process and all its descendants soon after the harness closes the socket, even if the main thread hangs.
/// PR_SET_PDEATHSIG is no alternative: it already sends its signal when the thread that started this process ends, while the
/// harness continues.
void end_with_other_side(int socket);

/// Signals in kSignalsThatEndARun end this process only if it or a process of its session sent them.
void obey_own_signals_alone();

void limit_memory(uint64_t bytes) {
  if (bytes == 0) bytes = memory_of_machine() / 2;
  // RLIMIT_DATA limits private writable memory (VmData). A sanitizer's shadow memory, and addresses that a device driver
  // reserves, do not count.
  const uint64_t has = memory_stated("/proc/self/status", "VmData:");
  rlimit limit{};
  if (bytes > 0 && ::getrlimit(RLIMIT_DATA, &limit) == 0 && has + bytes < limit.rlim_cur) {
    limit.rlim_cur = has + bytes;
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  std::ofstream("/proc/self/oom_score_adj") << 1000;
}

void end_with_other_side(int socket) {
  std::thread([socket, harness = ::getppid()] {
    // Polls with short timeouts: if a kernel closes the socket, a blocking poll would keep it open, and the harness would not
    // notice.
    constexpr int kMilliseconds = 250;
    for (;;) {
      pollfd other{socket, POLLRDHUP, 0};
      ::poll(&other, 1, kMilliseconds);
      const bool is_closed_here = (other.revents & POLLNVAL) != 0;
      if (::getppid() != harness || ((other.revents & (POLLRDHUP | POLLHUP)) != 0 && !is_closed_here)) break;
      if (is_closed_here) ::usleep(kMilliseconds * 1000);
    }
    constexpr unsigned kSecondsToEndByItself = 2;
    ::sleep(kSecondsToEndByItself);
    end_descendants(::getpid());
    ::kill(::getpid(), SIGKILL);
  }).detach();
}

void obey_own_signals_alone() {
  struct sigaction action {};
  action.sa_sigaction = [](int signal, siginfo_t* info, void*) {
    if (info->si_code > 0 || ::getsid(info->si_pid) != ::getsid(0)) return;
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  };
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  sigset_t held;
  ::sigemptyset(&held);
  for (const int signal : kSignalsThatEndARun) {
    ::sigaction(signal, &action, nullptr);
    ::sigaddset(&held, signal);
  }
  ::sigprocmask(SIG_UNBLOCK, &held, nullptr);
}

// The worker's side of the process boundary.

/// The worker's first message: the library's description, or the reason why there is none.
std::string greeting(Greeting kind, const std::string& text, const std::string& note = "", bool joins_groups = false,
                     bool contains_crashes = false) {
  MessageWriter out;
  out.number(kWorkerProtocol);
  out.number<uint8_t>(uint8_t(kind));
  out.text(text);
  out.text(note);
  out.number<uint8_t>(joins_groups);
  out.number<uint8_t>(contains_crashes);
  return out.bytes();
}

CallResult answer(Runner& runner, const CallRequest& request) {
  try {
    return runner.call(request);
  } catch (const std::exception& error) {
    CallResult result;
    result.status = CallStatus::kNotCalled;
    result.message = std::string("not called: the worker cannot make the call: ") + error.what();
    return result;
  }
}

}  // namespace

bool serve_calls(const std::function<Library()>& open, int socket, int memory_file, bool contains_crashes) {
  Library library;
  try {
    library = open();
  } catch (const NoDeviceError& error) {
    return send_message(socket, greeting(Greeting::kNoDevice, error.what()));
  } catch (const std::exception& error) {
    return send_message(socket, greeting(Greeting::kUnusable, error.what()));
  }
  const std::string note = library.info.notes.empty() ? "" : library.info.notes.front();
  if (!send_message(socket, greeting(Greeting::kReady, library.description, note, library.info.joins_groups, contains_crashes)))
    return false;

  std::string message;
  SharedMemory memory(memory_file);
  Runner runner(library.functions);
  while (receive_message(socket, -1, message) == Received::kMessage) {
    const UnpackedRequest unpacked = unpack_request(message, memory);
    CallRequest request = unpacked.request;
    request.problem = &unpacked.problem;
    const CallResult result = answer(runner, request);
    if (!send_message(socket, pack_result(result, unpacked.problem, memory))) return false;
  }
  return true;
}

int worker_main(const std::function<Library()>& open) {
  obey_own_signals_alone();
  adopt_orphans();
  end_with_other_side(kWorkerSocket);
  speak_of_crashes(kWorkerWords, "");
  std::string message;
  if (receive_message(kWorkerSocket, -1, message) != Received::kMessage) return 1;
  limit_memory(MessageReader(message).number<uint64_t>());
  return serve_calls(open, kWorkerSocket, kWorkerMemory, true) ? 0 : 1;
}

int worker_main(const std::string& path) {
  answer_where_you_are(path);
  return worker_main([path] { return open_library(path); });
}

}  // namespace assay
