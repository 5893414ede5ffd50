#include "harness/backend/worker_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "harness/backend/crash_report.h"
#include "harness/backend/library.h"
#include "harness/backend/throw_place.h"
#include "harness/backend/worker_messages.h"
#include "harness/text/messages.h"

extern char** environ;

namespace assay {
namespace {

// The live worker processes of this process.

struct Slot {
  std::atomic<pid_t> worker{0};
  std::atomic<int> signal{0};
};

/// One slot for each live worker. 64 slots suffice: kernels have at most 16 workers (Workers::kMost), and workers for ranks are
/// few.
std::array<Slot, 64> slots;
static_assert(std::atomic<pid_t>::is_always_lock_free, "a handler may not wait for a lock");

Slot* slot_of(pid_t worker) {
  for (Slot& slot : slots)
    if (slot.worker == worker) return &slot;
  return nullptr;
}

/// The arguments of receive_signals(). Handlers run while `mutex` is locked, so take_signal_of() waits until a handler ends.
struct Taken {
  std::mutex mutex;
  sigset_t signals{};
  SignalHandler handle = nullptr;
};
Taken& taken() {
  static Taken one;
  return one;
}

/// Calls the handler for each signal that is pending for this process.
void take_pending_signals() {
  const std::lock_guard one_at_a_time(taken().mutex);
  if (taken().handle == nullptr) return;
  constexpr timespec kNow{};
  siginfo_t info{};
  for (int signal; (signal = ::sigtimedwait(&taken().signals, &info, &kNow)) > 0;) taken().handle(signal, &info, nullptr);
}

}  // namespace

void add_live_worker(pid_t worker) {
  for (Slot& slot : slots) {
    pid_t none = 0;
    if (!slot.worker.compare_exchange_strong(none, worker)) continue;
    slot.signal = 0;
    return;
  }
}

void receive_signals(const sigset_t& signals, SignalHandler handle) {
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const std::lock_guard one_at_a_time(taken().mutex);
  const bool is_first = taken().handle == nullptr;
  taken().signals = signals;
  taken().handle = handle;
  const int pending = is_first ? ::signalfd(-1, &signals, SFD_CLOEXEC) : -1;
  if (pending < 0) return;
  std::thread([pending] {
    for (pollfd wait{pending, POLLIN, 0};;)
      if (::poll(&wait, 1, -1) > 0) take_pending_signals();  // poll() does not consume the signal
  }).detach();
}

void remove_live_worker(pid_t worker) {
  if (Slot* const slot = slot_of(worker)) slot->worker = 0;
}

std::vector<pid_t> live_workers() {
  std::vector<pid_t> all;
  for (const Slot& slot : slots)
    if (const pid_t worker = slot.worker; worker > 0) all.push_back(worker);
  return all;
}

void signal_live_workers(int signal) {
  for (const Slot& slot : slots)
    if (const pid_t worker = slot.worker; worker > 0) ::kill(-worker, signal);
}

pid_t worker_of(pid_t process) {
  if (process <= 0) return 0;
  if (slot_of(process) != nullptr) return process;
  const pid_t session = ::getsid(process);
  return session > 0 && slot_of(session) != nullptr ? session : 0;
}

void note_signal_of(pid_t worker, int signal) {
  if (Slot* const slot = slot_of(worker)) slot->signal = signal;
}

int take_signal_of(pid_t worker) {
  take_pending_signals();
  Slot* const slot = slot_of(worker);
  return slot == nullptr ? 0 : slot->signal.exchange(0);
}

namespace {

// The descendants of a process, such as processes that a kernel started: how to find and end them.

std::atomic<bool> adopts{false};

std::vector<pid_t>& spared_for_ever() {
  static std::vector<pid_t> children;
  return children;
}

/// Parent of a process; 0 if the process is gone or a zombie. The name in /proc/N/stat may contain blanks and parentheses, so
/// parsing starts after the last ')'.
pid_t living_parent_of(pid_t process) {
  const int file = ::open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 512> text{};
  const ssize_t got = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  const char* const behind = got > 0 ? std::strrchr(text.data(), ')') : nullptr;
  char state = 'Z';
  int parent = 0;
  if (behind == nullptr || std::sscanf(behind + 1, " %c %d", &state, &parent) != 2 || state == 'Z' || state == 'X') return 0;
  return parent;
}

/// Pairs (process, parent) of all processes.
std::vector<std::pair<pid_t, pid_t>> all_processes() {
  std::vector<std::pair<pid_t, pid_t>> all;
  DIR* const folder = ::opendir("/proc");
  if (folder == nullptr) return all;
  while (const dirent* const entry = ::readdir(folder)) {
    const pid_t process = std::atoi(entry->d_name);
    if (process <= 0) continue;
    if (const pid_t parent = living_parent_of(process); parent > 0) all.emplace_back(process, parent);
  }
  ::closedir(folder);
  return all;
}

bool holds(const std::vector<pid_t>& list, pid_t process) { return std::find(list.begin(), list.end(), process) != list.end(); }

std::vector<pid_t> descendants_but(pid_t root, const std::vector<pid_t>& spared) {
  const std::vector<std::pair<pid_t, pid_t>> all = all_processes();
  std::vector<pid_t> found = {root};
  for (size_t i = 0; i < found.size(); ++i)
    for (const auto& [process, parent] : all)
      if (parent == found[i] && !holds(spared, process) && !holds(found, process)) found.push_back(process);
  found.erase(found.begin());
  return found;
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t root) { return descendants_but(root, {}); }

int end_descendants(pid_t root, const std::vector<pid_t>& spared) {
  // The loop must end although processes may fork faster than they are found, and a process in a driver call may not end.
  constexpr int kMostRounds = 50;
  int ended = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<pid_t> found = descendants_but(root, spared);
    if (found.empty()) return ended;
    for (const pid_t process : found) ended += int(::kill(process, SIGKILL) == 0 && round == 0);
    for (const pid_t process : found)
      if (root == ::getpid()) ::waitpid(process, nullptr, WNOHANG);
    ::usleep(2000);
  }
  return ended;
}

void adopt_orphans() {
  spared_for_ever() = descendants_of(::getpid());
  adopts = ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

std::mutex& children_mutex() {
  static std::mutex mutex;
  return mutex;
}

int end_strays() {
  if (!adopts) return 0;
  const std::lock_guard lock(children_mutex());
  std::vector<pid_t> spared = live_workers();
  spared.insert(spared.end(), spared_for_ever().begin(), spared_for_ever().end());
  return end_descendants(::getpid(), spared);
}

namespace {

// A worker process and this side's file descriptors for it.

[[noreturn]] void refuse(const std::string& what, int error) { throw std::system_error(error, std::generic_category(), what); }

constexpr const char* kHint = "; --in-process under a debugger shows where";

/// Attributes of the new process: it gets its own session, and kSignalsThatEndARun stay blocked until worker_main() has a handler
/// for them.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    sigset_t held;
    ::sigemptyset(&held);
    for (const int signal : kSignalsThatEndARun) ::sigaddset(&held, signal);
    ::posix_spawnattr_setsigmask(&attributes_, &held);
  }
  Attributes(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

Process::Process(const WorkerOptions& options, const std::string& library, int memory) {
  std::array<int, 2> ends{}, words{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) refuse("worker", errno);
  if (::pipe2(words.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    refuse("worker", error);
  }
  socket_ = beyond_worker_files(ends[0], "socket of a worker");
  words_ = beyond_worker_files(words[0], "pipe of a worker");
  const int their_socket = beyond_worker_files(ends[1], "socket of a worker");
  const int their_words = beyond_worker_files(words[1], "pipe of a worker");

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, their_socket, kWorkerSocket);
  posix_spawn_file_actions_adddup2(&files, memory, kWorkerMemory);
  posix_spawn_file_actions_adddup2(&files, their_words, kWorkerWords);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);  // output of a kernel must not end up in a report on
                                                                           // stdout
  std::string program = options.program, verb = "worker", flag = "--library", path = library;
  std::vector<std::string> before = options.before;
  std::vector<char*> arguments = {program.data()};
  for (std::string& argument : before) arguments.push_back(argument.data());
  arguments.insert(arguments.end(), {verb.data(), flag.data(), path.data(), nullptr});
  const Attributes attributes;
  int error = 0;
  {
    const std::lock_guard no_stray(children_mutex());
    error = ::posix_spawnp(&process_, program.c_str(), &files, attributes.get(), arguments.data(), environ);
    if (error == 0) add_live_worker(process_);
  }
  posix_spawn_file_actions_destroy(&files);
  ::close(their_socket);
  ::close(their_words);
  if (error == 0) {
    const int end = int(::syscall(SYS_pidfd_open, process_, 0));
    if (end >= 0) end_ = beyond_worker_files(end, "end of a worker");
    return;
  }
  ::close(socket_);
  ::close(words_);
  refuse("cannot start a worker from " + options.program, error);
}

Process::~Process() {
  ::close(socket_);  // the worker ends itself when its socket is closed, unless it hangs
  if (process_ > 0 && !ends_within(1000)) kill();
  ::close(words_);
  if (end_ >= 0) ::close(end_);
}

/// Ends what is left of the process group. Call it before the dead process is reaped: until then its id is not reused.
void Process::book_end() {
  if (process_ <= 0) return;  // kill(-0) would end this process and its whole process group
  ::kill(-process_, SIGKILL);
  take_pending_signals();  // before remove_live_worker(): the handler looks up the sender of a signal among the live workers
  remove_live_worker(process_);
  while (::waitpid(process_, &status_, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  end_strays();
}

bool Process::ends_within(int milliseconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    siginfo_t ended{};
    const int looked = ::waitid(P_PID, id_t(process_), &ended, WEXITED | WNOHANG | WNOWAIT);
    if ((looked == 0 && ended.si_pid == process_) || (looked < 0 && errno != EINTR)) return book_end(), true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

bool Process::kill() {
  constexpr int kLongestEnd = 5000;  // ms; time to destroy a GPU context with all of its memory
  if (process_ <= 0) return true;
  ::kill(-process_, SIGKILL);
  ::kill(process_, SIGKILL);
  const bool ended = ends_within(kLongestEnd);  // if not, it stays registered as live, so that end_strays() leaves it
                                                // alone
  process_ = 0;
  return ended;
}

std::string Process::where(const std::string& library) {
  constexpr int kLongestWait = 300;  // ms
  if (process_ <= 0) return "";
  const std::string name = library.substr(library.rfind('/') + 1) + "+0x";
  std::error_code unknown;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process_) + "/task", unknown))
    ::syscall(SYS_tgkill, process_, std::atoi(task.path().filename().c_str()), kWhereAreYou);
  std::string first;  // of the threads that answer, one with a source line tells most: others only wait for work
  for (int waited = 0; waited < kLongestWait; waited += 20) {
    pollfd words{words_, POLLIN, 0};
    if (::poll(&words, 1, 20) <= 0) {
      if (!first.empty()) break;
      continue;
    }
    for (const std::string& line : last_lines()) {
      if (!line.starts_with(name)) continue;
      const std::string place = with_source_lines(line, library);
      if (place.find(" (at ") != std::string::npos) return place;
      if (first.empty()) first = place;
    }
  }
  return first;
}

/// The lines that the process wrote about itself, with printable characters alone. A kernel may have written anything there.
std::vector<std::string> Process::last_lines() const {
  std::array<char, 4096> text;
  const ssize_t got = ::read(words_, text.data(), text.size());
  std::vector<std::string> lines;
  std::string line;
  for (ssize_t i = 0; i < got; ++i) {
    const char c = text[size_t(i)];
    if (c == '\n')
      lines.push_back(std::exchange(line, ""));
    else
      line += c >= ' ' && c < 0x7f ? c : '?';
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

/// What the process wrote about its crash: the first line.
std::string Process::last_words() const {
  const std::vector<std::string> lines = last_lines();
  return lines.empty() ? "" : lines.front();
}

std::string Process::exit_text() {
  constexpr int kMoment = 2000;
  if (process_ > 0 && !ends_within(kMoment)) {
    kill();
    return "closed the worker's socket and continued";
  }
  if (!WIFSIGNALED(status_)) return "ended its process with exit code " + std::to_string(WEXITSTATUS(status_));
  const int signal = WTERMSIG(status_);
  if (signal == SIGKILL) return "killed by SIGKILL, by another process or because memory ran out";
  const char* const name = ::sigabbrev_np(signal);
  const std::string short_text = "SIG" + std::string(name != nullptr ? name : std::to_string(signal).c_str());
  const std::string words = last_words();
  return "crashed: " + (words.starts_with(short_text) ? words : short_text) + kHint;
}

namespace {

// A worker: a process that loads the library and answers calls. It is started at the first call.

std::string seconds_in_words(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

}  // namespace

CallResult without_outputs(CallStatus status, std::string message) {
  CallResult result;
  result.status = status;
  result.message = std::move(message);
  return result;
}

Described Worker::start() {
  process_.emplace(options_, path_, memory_.file());
  MessageWriter settings;
  settings.number<uint64_t>(options_.memory_bytes);
  send_message(process_->socket(), settings.bytes());  // if the worker is gone already, the next receive_message() notices it
  std::string message;
  switch (receive_message(process_->socket(), options_.timeout_seconds, message, options_.ended, process_->end())) {
    case Received::kMessage:
      break;
    case Received::kClosed: {
      const std::string end = process_->exit_text();
      process_.reset();
      throw LibraryError(path_ + ": " + end + ", while the library was loaded");
    }
    case Received::kTimeout:
      end_process();
      throw LibraryError(path_ + ": not loaded within " + seconds_in_words(options_.timeout_seconds));
    case Received::kGivenUp:
      end_process();
      throw LibraryError(path_ + ": loading was abandoned because the run ended");
    case Received::kTooLong:
      end_process();
      throw LibraryError(path_ + ": wrote into the worker's socket while the library was loaded");
  }
  Greeting kind{};
  const Described described = read_greeting(message, kind);
  if (kind == Greeting::kReady) return described;
  process_.reset();
  if (kind == Greeting::kNoDevice) throw NoDeviceError(described.description);
  throw LibraryError(described.description);
}

CallResult Worker::call(const CallRequest& request, bool& hung) {
  try {
    if (!process_) start();
  } catch (const std::exception& error) {
    CallResult lost =
        without_outputs(CallStatus::kDeviceLost, std::string("the worker cannot be started again: ") + error.what());
    lost.reached_kernel = false;
    return lost;
  }
  const pid_t worker = process_->number();
  CallResult result = answer(request, hung);
  if (const int signal = take_signal_of(worker); signal != 0) {
    process_.reset();
    const char* const name = ::sigabbrev_np(signal);
    return without_outputs(CallStatus::kBroken,
                           "sent SIG" + std::string(name != nullptr ? name : "?") + " to the process that called it");
  }
  return result;
}

CallResult Worker::answer(const CallRequest& request, bool& hung) {
  std::string message, place;
  const auto place_in_words = [&] {
    const std::string found = process_->where(path_);
    return found.empty() ? "" : "; the kernel was in " + found;
  };
  const bool sent = send_message(process_->socket(), pack_request(request, memory_));
  switch (sent ? receive_message(process_->socket(), options_.timeout_seconds, message, options_.ended, process_->end())
               : Received::kClosed) {
    case Received::kMessage:
      break;
    case Received::kClosed:
      return broken(with_source_lines(process_->exit_text(), path_));
    case Received::kTimeout:
      hung = true;
      place = place_in_words();
      return broken("hung: no answer within " + seconds_in_words(options_.timeout_seconds) +
                    (process_->kill() ? "" : ", and the process does not end when it is killed") + place);
    case Received::kGivenUp:
      place = place_in_words();
      process_->kill();
      return broken("the call was abandoned because the run ended" + place);
    case Received::kTooLong:
      process_->kill();
      return broken("wrote into the worker's socket");
  }
  try {
    CallResult result = unpack_result(message, *request.problem, memory_);
    if (result.status != CallStatus::kOk) result.message = with_source_lines(with_lines_of_throw(result.message, path_), path_);
    if (!result.undefined.empty()) result.undefined = with_source_lines(result.undefined, path_);
    memory_.shrink_to(kKeptBetweenCalls);
    if (result.poisoned) process_.reset();
    return result;
  } catch (const std::runtime_error& error) {
    process_->kill();
    return broken(std::string("damaged the worker, which sent an invalid answer: ") + error.what());
  }
}

Described Worker::read_greeting(const std::string& message, Greeting& kind) {
  try {
    MessageReader in(message);
    if (in.number<uint32_t>() != kWorkerProtocol) throw std::runtime_error("it begins with a wrong protocol number");
    kind = Greeting(in.number<uint8_t>());
    return {in.text(), in.text(), in.number<uint8_t>() != 0, in.number<uint8_t>() != 0};
  } catch (const std::runtime_error& error) {
    end_process();
    throw LibraryError(path_ + ": worker " + options_.program + " sent an invalid first message (" + error.what() +
                       "); was the program built from other sources?");
  }
}

void Worker::end_process() {
  process_->kill();
  process_.reset();
}

CallResult Worker::broken(std::string message) {
  process_.reset();
  return without_outputs(CallStatus::kBroken, std::move(message));
}

}  // namespace assay
