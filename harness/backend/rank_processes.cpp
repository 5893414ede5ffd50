#include "harness/backend/rank_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "harness/backend/worker_messages.h"
#include "harness/backend/worker_process.h"

namespace assay {
namespace {

// Information about an MPI launch whose processes divide the ranks of a group between them.

/// The number that `text` holds; -1 if the text is missing or not a number.
int number_in(const char* text) {
  int number = -1;
  if (text == nullptr) return -1;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
  return error == std::errc() && *end == '\0' ? number : -1;
}

}  // namespace

std::optional<Launch> launch_of_environment(const EnvironmentReader& get) {
  const Launch launch{number_in(get("OMPI_COMM_WORLD_RANK")), number_in(get("OMPI_COMM_WORLD_SIZE")),
                      get("PMIX_NAMESPACE") != nullptr ? get("PMIX_NAMESPACE") : ""};
  const bool here = launch.count > 1 && number_in(get("OMPI_COMM_WORLD_LOCAL_SIZE")) == launch.count;
  if (!here || launch.index < 0 || launch.index >= launch.count || launch.job.empty()) return std::nullopt;
  return launch;
}

namespace {

// Connections between the processes of one launch: a local socket that is named after the launch.

using Clock = std::chrono::steady_clock;
constexpr int kBetweenQuestions = 50;  // ms

/// A socket address in Linux's abstract namespace: it has no file, and disappears with its socket.
struct Address {
  sockaddr_un address{};
  socklen_t size = 0;
  explicit Address(const std::string& job) {
    const std::string name = "assay-ranks-" + std::to_string(::geteuid()) + "-" + job;
    address.sun_family = AF_UNIX;
    const size_t length = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);
    size = socklen_t(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

int new_socket() {
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int moved = file < 0 ? -1 : ::fcntl(file, F_DUPFD_CLOEXEC, 16);  // moved above the descriptors that workers inherit
  if (file >= 0) ::close(file);
  if (moved < 0) throw std::system_error(errno, std::generic_category(), "socket of ranks");
  return moved;
}

bool of_this_user(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == ::geteuid();
}

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

OpenFile::~OpenFile() {
  if (number_ >= 0) ::close(number_);
}

MeetingPoint::MeetingPoint(const std::string& job) : socket_(new_socket()) {
  const Address here(job);
  if (::bind(socket_.number(), here.get(), here.size) != 0 || ::listen(socket_.number(), 64) != 0)
    throw std::system_error(errno, std::generic_category(), "the processes of launch " + job + " cannot meet");
}

Arrival MeetingPoint::next(double seconds, const std::function<bool()>& ended) {
  for (const auto deadline = after(seconds); Clock::now() < deadline && !(ended && ended());) {
    pollfd wait{socket_.number(), POLLIN, 0};
    if (::poll(&wait, 1, kBetweenQuestions) <= 0) continue;
    OpenFile came(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    int32_t index = -1;
    if (came.number() < 0 || !of_this_user(came.number())) continue;
    if (::recv(came.number(), &index, sizeof index, MSG_WAITALL) == sizeof index) return {index, std::move(came)};
  }
  return {};
}

OpenFile come_to(const std::string& job, int index, const std::function<bool()>& ended) {
  const Address there(job);
  const auto word = after(kSecondsOfSilence);
  bool told = false;
  for (const auto deadline = after(kSecondsOfSilence + kSecondsForTheLast); Clock::now() < deadline && !(ended && ended());) {
    OpenFile socket(new_socket());
    const int32_t number = index;
    if (::connect(socket.number(), there.get(), there.size) == 0 &&
        ::send(socket.number(), &number, sizeof number, MSG_NOSIGNAL) == sizeof number)
      return socket;
    if (!told && Clock::now() > word)
      std::fprintf(stderr, "assay: process %d waits for the first process of this launch\n", index), told = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(kBetweenQuestions));
  }
  throw std::runtime_error("the first process of launch " + job + " did not start");
}

bool send_file(int socket, int file) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof file)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(head), &file, sizeof file);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

int receive_file(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  int file = -1;
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof file)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* const head = got == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return -1;
  std::memcpy(&file, CMSG_DATA(head), sizeof file);
  return file;
}

namespace {

// Calls of several ranks, where each rank belongs to one of several processes.

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

/// A folder for one call, in /dev/shm if that is writable. The destructor removes it with its content; the next run removes
/// leftovers of a killed run.
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

/// The problem reduced to the tensors of these ranks.
Problem part_of(const Problem& whole, const RankPlace& place) {
  Problem part;
  part.ranks = whole.ranks;
  part.parameters = whole.parameters;
  for (const HostTensor& tensor : whole.tensors)
    if (holds(place, tensor.spec.rank)) part.tensors.push_back(tensor);
  for (const Problem& earlier : whole.before) part.before.push_back(part_of(earlier, place));
  return part;
}

/// The results of the members, collected from several threads.
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

  /// Waits until all results are there. One second after the first result that is kBroken, sets `give_up` for the other members.
  void wait(std::atomic<bool>* give_up) {
    constexpr std::chrono::seconds kForTheOthers(1);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return left_ == 0 || first_broken_ >= 0; });
    if (changed_.wait_for(lock, kForTheOthers, [&] { return left_ == 0; }) || give_up == nullptr) return;
    *give_up = true;
  }

  /// Call these two after wait().
  std::vector<CallResult>& all() { return results_; }
  int first_broken() const { return first_broken_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<CallResult> results_;
  size_t left_;
  int first_broken_ = -1;
};

/// The rank for which a library reports that it waited in vain; -1: none.
int awaited_rank(const std::string& said) {
  constexpr std::string_view kWaited = "waited in vain for rank ";
  const size_t at = said.find(kWaited);
  if (at == std::string::npos) return -1;
  int rank = -1;
  std::from_chars(said.data() + at + kWaited.size(), said.data() + said.size(), rank);
  return rank;
}

/// Writes "waited for rank 2" into the results of members that gave up, if rank 2 belongs to the member that broke first. Also
/// writes it for a member whose library reports that it waited in vain for a rank whose process broke: that member did not hang.
void say_who_was_waited_for(std::vector<CallResult>& results, const std::vector<RankPlace>& places, int first_broken) {
  std::vector<bool> broke;
  for (const CallResult& result : results)
    broke.push_back(result.status == CallStatus::kBroken && !result.message.starts_with(kNotWaitedFor) &&
                    awaited_rank(result.message) < 0);
  for (size_t i = 0; i < results.size(); ++i) {
    if (int(i) != first_broken && results[i].message.starts_with(kNotWaitedFor))
      results[i].message = "waited for " + ranks_text(places[size_t(first_broken)]);
    const int rank = awaited_rank(results[i].message);
    for (size_t other = 0; other < results.size() && rank >= 0; ++other)
      if (broke[other] && rank >= places[other].first && rank < places[other].first + places[other].count)
        results[i].message = "waited for rank " + std::to_string(rank);
  }
}

/// Joins the messages of failed members into one line. Messages that begin with "rank " follow the others; "waited for" is last.
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

namespace {

// The first process of a launch coordinates; each of the others runs its ranks.

/// Heartbeat: while its worker runs, a process sends an empty message once a second.
constexpr std::chrono::seconds kBetweenSigns(1);

/// Whether the other end of a connection is closed.
bool is_closed(int socket) {
  pollfd other{socket, POLLRDHUP, 0};
  return ::poll(&other, 1, 0) > 0 && (other.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/// Whether bytes arrived. During a call, bytes mean that the first process no longer waits for the answer.
bool has_bytes(int socket) {
  pollfd other{socket, POLLIN, 0};
  return ::poll(&other, 1, 0) > 0;
}

/// The connection of the first process to another process.
class Elsewhere {
 public:
  Elsewhere(int index, const WorkerOptions& options) : index_(index), options_(options) {}

  int memory() const { return memory_.file(); }
  void came(OpenFile socket) { socket_ = std::move(socket); }

  /// Whether the process is gone. Also checks whether it ended since the last call.
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
      if (give_up && !told) told = send_message(socket_.number(), "");  // an empty message asks the process to answer at once
      return false;
    };
    while (got == Received::kMessage) {
      got = receive_message(socket_.number(), options_.timeout_seconds + kMarginOfProcess, message, stop);
      if (got == Received::kMessage && !message.empty()) return unpacked(message, request);
    }
    leave(got == Received::kTimeout ? "does not answer; it may be stopped" : "is gone");
    if (got == Received::kGivenUp) return without_outputs(CallStatus::kBroken, std::string(kNotWaitedFor) + ": the run ended");
    return without_outputs(CallStatus::kBroken,
                           got == Received::kTimeout ? "its process does not answer; it may be stopped" : "its process ended");
  }

 private:
  CallResult unpacked(const std::string& message, const CallRequest& request) {
    try {
      CallResult result = unpack_result(message, *request.problem, memory_);
      memory_.shrink_to(kKeptBetweenCalls);
      return result;
    } catch (const std::runtime_error& error) {
      leave("sent an invalid answer");
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
      members_.push_back(
          [other = others_.back().get(), this](const CallRequest& request) { return other->call(request, give_up_); });
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
      if (other->is_gone()) other->leave("did not connect");
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
  bool has_loaded = false;  // before, bytes in the socket carry the file of tensors; afterwards they ask to give up a call
  own.ended = [&] {
    const auto now = std::chrono::steady_clock::now();
    if (now - sign >= kBetweenSigns) (void)send_message(socket, ""), sign = now;
    return (has_loaded ? has_bytes(socket) : is_closed(socket)) || (options.ended && options.ended());
  };
  const Backend worker = open_in_worker(library, library, own);
  has_loaded = true;
  const int file = receive_file(socket);
  if (file < 0) return;  // the first process ended without a request
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
      come.set_value(come_to(launch.job, launch.index, [&] { return stop.stop_requested(); }));
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

void RankMeeting::serve(const std::string& library, const WorkerOptions& options,
                        const std::function<void(const std::string&)>& say) {
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
