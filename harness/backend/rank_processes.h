// Division of ranks between the processes of one MPI launch: how the processes connect, and which process calls which ranks.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/core/call.h"
#include "harness/core/cases.h"

namespace assay {

// Information about an MPI launch whose processes divide the ranks of a group between them.

struct Launch {
  int index = 0, count = 1;  ///< index of this process, from 0, and number of processes
  std::string job;           ///< name of the launch, unique on this machine
};

/// Reads OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_SIZE and PMIX_NAMESPACE of Open MPI. Empty unless Open
/// MPI started several processes, all on this machine, because ranks communicate through its memory.
std::optional<Launch> launch_of_environment(const EnvironmentReader& get);

// Connections between the processes of one launch: a local socket that is named after the launch.

/// A file descriptor that is closed on destruction; -1: none.
class OpenFile {
 public:
  explicit OpenFile(int number = -1) : number_(number) {}
  OpenFile(OpenFile&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~OpenFile();
  int number() const { return number_; }

 private:
  int number_;
};

/// How long to wait until a process of the launch connects. After kSecondsOfSilence a message says what is missing. After further
/// kSecondsForTheLast the process counts as gone. This is long enough, since the first process listens before it does other work.
inline constexpr double kSecondsOfSilence = 5, kSecondsForTheLast = 10;

struct Arrival {
  int index = -1;  ///< index of the process that connected; -1 if none did
  OpenFile socket{};
};

class MeetingPoint {
 public:
  /// Throws std::system_error, e.g. if another process of the job already listens.
  explicit MeetingPoint(const std::string& job);

  /// Waits for the next process of this user to connect, for at most `seconds` or until `ended` returns true.
  Arrival next(double seconds, const std::function<bool()>& ended);

 private:
  OpenFile socket_;
};

/// Connects to the first process, as process number `index`. Throws std::runtime_error if the first process does not listen in
/// time (see above), or if `ended` returns true.
OpenFile come_to(const std::string& job, int index, const std::function<bool()>& ended);

/// Passes an open file to the process at the other end of a socket. receive_file() returns -1 if that process ended.
bool send_file(int socket, int file);
int receive_file(int socket);

// Calls of several ranks, where each rank belongs to one of several processes.

/// A member: a function that calls the kernel in one process that holds ranks.
using RankMember = std::function<CallResult(const CallRequest&)>;

/// The ranks of member `index` of `members`: consecutive ranks, divided evenly; a remainder goes to the first members.
RankPlace place_of(int ranks, int index, int members);

/// "rank 2" or "ranks 2 to 3".
std::string ranks_text(const RankPlace& place);

/// Prefix of the message of a call that a member abandoned because `give_up` was set.
inline constexpr const char* kNotWaitedFor = "not waited for";

/// Calls all members that hold ranks of the problem concurrently, each with the tensors of its ranks. They share a folder for
/// this call. Returns the outputs of all ranks. If members fail, the message begins with the report of the first one. The reports
/// of the other members follow: for which rank each waited, in which thread block, and where in the code.
///
/// Ranks wait for each other, so one broken rank would block the others for the whole time limit. One second after the first
/// failure `give_up` is set. The other members poll it, give up, and report "waited for rank 2".
CallResult call_members(const std::vector<RankMember>& members, const CallRequest& request, std::atomic<bool>* give_up = nullptr);

// The first process of a launch coordinates; each of the others runs its ranks.

/// Connects the processes of a launch; each notices when another ends. Create one in every process before loading a library.
class RankMeeting {
 public:
  explicit RankMeeting(const Launch& launch);
  ~RankMeeting();

  const Launch& launch() const { return launch_; }

  /// For the first process. Returns a back end that divides calls of several ranks among all processes of the launch; each
  /// process runs its ranks in a worker. After a kernel's crash, the next call gets a new worker. If a process is gone, the
  /// first call that needs its ranks is kBroken, and later ones are not made (CallStatus::kNotCalled). A process that
  /// sends nothing for the time limit plus kMarginOfProcess counts as gone. Throws std::system_error if the job already has a
  /// first process.
  Backend with_ranks(Backend backend, const WorkerOptions& options);

  /// For the other processes. Starts a thread that makes the calls that the first process requests, until that process ends.
  /// `say` receives errors. If serve() is never called, the destructor tells the first process that this one serves no ranks.
  void serve(const std::string& library, const WorkerOptions& options, const std::function<void(const std::string&)>& say);
  bool serves() const { return serving_.joinable(); }  ///< whether serve() was called

 private:
  Launch launch_;
  std::unique_ptr<MeetingPoint> point_;  ///< first process only
  std::exception_ptr why_none_;
  std::future<OpenFile> socket_;         ///< other processes: connection to the first process, once it listens
  std::jthread coming_, serving_;
};

inline constexpr double kMarginOfProcess = 5;  ///< seconds

}  // namespace assay
