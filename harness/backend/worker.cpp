// The harness's side of the process boundary.
#include "harness/backend/worker.h"

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "harness/backend/crash_words.h"
#include "harness/backend/exit_notice.h"
#include "harness/backend/hang_count.h"
#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/backend/watch.h"
#include "harness/backend/worker_process.h"

namespace assay {
namespace {

/// Printed once when the library is opened: side effects of loading change no verdict, but the author should know.
void say_notes(const LibraryInfo& info) {
  for (const std::string& note : info.notes) std::fprintf(stderr, "assay: %s: %s\n", info.path.c_str(), note.c_str());
}

/// One worker per kernel. Beyond kMost the least recently used one ends.
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

  /// A new process shows whether the device itself is gone, or whether this call or an earlier one of the kernel broke it for its
  /// process.
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
      at->kernel = kernel;  // the first worker was started only for describe()
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
