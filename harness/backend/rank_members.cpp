#include "harness/backend/rank_members.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolderName = "assay-ranks-";

/// Removes folders of killed runs of this user: their names contain the id of a process that no longer exists.
void remove_leftovers(const fs::path& folder) {
  std::error_code unread;
  for (const auto& entry : fs::directory_iterator(folder, unread)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFolderName)) continue;
    const int process = std::atoi(name.c_str() + std::string(kFolderName).size());
    struct stat status {};
    const bool is_own = ::lstat(entry.path().c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
    std::error_code left;
    if (is_own && process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), left);
  }
}

/// In /dev/shm if that is writable. Removed with its content on destruction; leftovers of a killed run are removed by the next
/// run.
class FolderOfCall {
 public:
  FolderOfCall() {
    const fs::path folder = ::access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::temp_directory_path();
    static const bool is_clean = (remove_leftovers(folder), true);
    static_cast<void>(is_clean);
    path_ = folder / (kFolderName + std::to_string(::getpid()) + "-XXXXXX");
    if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
  }
  FolderOfCall(const FolderOfCall&) = delete;
  FolderOfCall& operator=(const FolderOfCall&) = delete;
  ~FolderOfCall() {
    std::error_code left;
    fs::remove_all(path_, left);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool holds(const RankPlace& place, int rank) { return rank >= place.first && rank < place.first + place.count; }

/// The problem with the tensors of these ranks only.
Problem part_of(const Problem& whole, const RankPlace& place) {
  Problem part;
  part.ranks = whole.ranks;
  part.parameters = whole.parameters;
  for (const HostTensor& tensor : whole.tensors)
    if (holds(place, tensor.spec.rank)) part.tensors.push_back(tensor);
  for (const Problem& earlier : whole.before) part.before.push_back(part_of(earlier, place));
  return part;
}

/// Collects results from several threads.
class Results {
 public:
  explicit Results(size_t count) : results_(count), left_(count) {}

  void book(size_t i, CallResult result) {
    const std::lock_guard lock(mutex_);
    if (result.status == CallStatus::kBroken && first_broken_ < 0) first_broken_ = int(i);
    results_[i] = std::move(result);
    --left_;
    changed_.notify_all();
  }

  /// Waits until all results are there. One second after the first broken one, tells the others to give up.
  void wait(std::atomic<bool>* give_up) {
    constexpr std::chrono::seconds kForTheOthers(1);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return left_ == 0 || first_broken_ >= 0; });
    if (changed_.wait_for(lock, kForTheOthers, [&] { return left_ == 0; }) || give_up == nullptr) return;
    *give_up = true;
  }

  /// Call it after wait().
  std::vector<CallResult>& all() { return results_; }
  int first_broken() const { return first_broken_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<CallResult> results_;
  size_t left_;
  int first_broken_ = -1;
};

/// Completes the messages of members that gave up: they waited for the first member that broke.
void say_who_was_waited_for(std::vector<CallResult>& results, const std::vector<RankPlace>& places, int first_broken) {
  for (size_t i = 0; i < results.size(); ++i)
    if (int(i) != first_broken && results[i].message.starts_with(kNotWaitedFor))
      results[i].message = "waited for " + ranks_text(places[size_t(first_broken)]);
}

/// Joins the messages of all failed members into one line: first those whose process broke, last those that gave up.
CallResult not_well(const std::vector<CallResult>& results, const std::vector<RankPlace>& places) {
  CallResult all;
  const auto is = [&](CallStatus status) {
    return std::any_of(results.begin(), results.end(), [&](const CallResult& r) { return r.status == status; });
  };
  for (const CallStatus status :
       {CallStatus::kBroken, CallStatus::kFailed, CallStatus::kDeviceLost, CallStatus::kNotCalled, CallStatus::kUnsupported})
    if (all.status == CallStatus::kOk && is(status)) all.status = status;
  for (const int turn : {0, 1, 2})
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string& said = results[i].message;
      const bool names_rank = said.starts_with("rank ");
      if (results[i].status == CallStatus::kOk || turn != (names_rank ? 1 : said.starts_with("waited for ") ? 2 : 0)) continue;
      const std::string line = names_rank || all.status == CallStatus::kUnsupported ? said : ranks_text(places[i]) + ": " + said;
      if (all.message.find(line) == std::string::npos) all.message += (all.message.empty() ? "" : "; ") + line;
    }
  all.reached_kernel = std::all_of(results.begin(), results.end(), [](const CallResult& r) { return r.reached_kernel; });
  return all;
}

}  // namespace

std::string ranks_text(const RankPlace& place) {
  const std::string first = std::to_string(place.first), last = std::to_string(place.first + place.count - 1);
  return place.count == 1 ? "rank " + first : "ranks " + first + " to " + last;
}

RankPlace place_of(int ranks, int index, int members) {
  const int each = ranks / members, rest = ranks % members;
  return {index * each + std::min(index, rest), each + (index < rest ? 1 : 0), ""};
}

CallResult call_members(const std::vector<RankMember>& members, const CallRequest& request, std::atomic<bool>* give_up) {
  const Problem& whole = *request.problem;
  const FolderOfCall folder;
  std::vector<RankPlace> places;
  std::vector<Problem> parts;
  for (size_t i = 0; i < members.size(); ++i) {
    RankPlace place = place_of(whole.ranks, int(i), int(members.size()));
    if (place.count == 0) break;
    place.folder = folder.path();
    parts.push_back(part_of(whole, place));
    places.push_back(std::move(place));
  }
  Results come(places.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < places.size(); ++i)
    threads.emplace_back([&, i] {
      CallRequest own = request;
      own.problem = &parts[i];
      own.place = places[i];
      come.book(i, members[i](own));
    });
  come.wait(give_up);
  for (std::thread& thread : threads) thread.join();
  std::vector<CallResult>& results = come.all();
  if (come.first_broken() >= 0) say_who_was_waited_for(results, places, come.first_broken());

  if (std::any_of(results.begin(), results.end(), [](const CallResult& r) { return r.status != CallStatus::kOk; }))
    return not_well(results, places);
  CallResult all;
  std::vector<size_t> next(results.size(), 0);
  for (const HostTensor& tensor : whole.tensors) {
    if (tensor.spec.role != Role::kOutput) continue;
    const auto place = std::find_if(places.begin(), places.end(), [&](const RankPlace& p) { return holds(p, tensor.spec.rank); });
    const auto member = size_t(place - places.begin());
    CallResult& from = results[member];
    const size_t i = next[member]++;
    all.outputs.push_back(std::move(from.outputs[i]));
    all.untouched.push_back(std::move(from.untouched[i]));
    all.in_place.push_back(from.in_place[i]);
  }
  for (const CallResult& result : results) all.seconds = std::max(all.seconds, result.seconds);
  return all;
}

}  // namespace assay
