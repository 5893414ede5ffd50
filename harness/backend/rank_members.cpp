#include "harness/backend/rank_members.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

namespace assay {
namespace {

namespace fs = std::filesystem;

/// In memory where the machine has a folder for it. Removed with what is in it.
class FolderOfCall {
 public:
  FolderOfCall()
      : path_((::access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::temp_directory_path()) / "assay-ranks-XXXXXX") {
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

/// The tensors of these ranks alone.
Problem part_of(const Problem& whole, const RankPlace& place) {
  Problem part;
  part.ranks = whole.ranks;
  part.parameters = whole.parameters;
  for (const HostTensor& tensor : whole.tensors)
    if (holds(place, tensor.spec.rank)) part.tensors.push_back(tensor);
  for (const Problem& earlier : whole.before) part.before.push_back(part_of(earlier, place));
  return part;
}

std::string ranks_text(const RankPlace& place) {
  const std::string first = std::to_string(place.first), last = std::to_string(place.first + place.count - 1);
  return place.count == 1 ? "rank " + first : "ranks " + first + " to " + last;
}

/// One line of what all members said that did not end well, first those whose process broke.
CallResult not_well(const std::vector<CallResult>& results, const std::vector<RankPlace>& places) {
  CallResult all;
  const auto is = [&](CallStatus status) {
    return std::any_of(results.begin(), results.end(), [&](const CallResult& r) { return r.status == status; });
  };
  for (const CallStatus status :
       {CallStatus::kBroken, CallStatus::kFailed, CallStatus::kDeviceLost, CallStatus::kNotCalled, CallStatus::kUnsupported})
    if (all.status == CallStatus::kOk && is(status)) all.status = status;
  for (const bool of_library : {false, true})
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string& said = results[i].message;
      const bool names_rank = said.starts_with("rank ");
      if (results[i].status == CallStatus::kOk || names_rank != of_library) continue;
      const std::string line = names_rank || all.status == CallStatus::kUnsupported ? said : ranks_text(places[i]) + ": " + said;
      if (all.message.find(line) == std::string::npos) all.message += (all.message.empty() ? "" : "; ") + line;
    }
  all.reached_kernel = std::all_of(results.begin(), results.end(), [](const CallResult& r) { return r.reached_kernel; });
  return all;
}

}  // namespace

RankPlace place_of(int ranks, int index, int members) {
  const int each = ranks / members, rest = ranks % members;
  return {index * each + std::min(index, rest), each + (index < rest ? 1 : 0), ""};
}

CallResult call_members(const std::vector<RankMember>& members, const CallRequest& request) {
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
  std::vector<CallResult> results(places.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < places.size(); ++i)
    threads.emplace_back([&, i] {
      CallRequest own = request;
      own.problem = &parts[i];
      own.place = places[i];
      results[i] = members[i](own);
    });
  for (std::thread& thread : threads) thread.join();

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
