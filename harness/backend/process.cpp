#include "harness/backend/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "harness/backend/descendants.h"
#include "harness/backend/live_workers.h"
#include "harness/backend/worker_files.h"

extern char** environ;

namespace assay {
namespace {

[[noreturn]] void refuse(const std::string& what, int error) { throw std::system_error(error, std::generic_category(), what); }

constexpr const char* kHint = "; --in-process under a debugger shows where";

/// Starts a session of its own. Signals that end a run stay blocked until worker_main() can check who sent them.
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
  ::close(socket_);  // the process then ends by itself, unless it hangs
  if (process_ > 0 && !ends_within(1000)) kill();
  ::close(words_);
  if (end_ >= 0) ::close(end_);
}

/// Until a dead process is reaped, its id is not reused and still names its process group.
void Process::book_end() {
  ::kill(-process_, SIGKILL);
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
  constexpr int kLongestEnd = 5000;  // ms; enough to destroy a GPU context with all of its memory
  if (process_ <= 0) return true;
  ::kill(-process_, SIGKILL);
  ::kill(process_, SIGKILL);
  const bool ended = ends_within(kLongestEnd);  // a process that does not end stays registered as live, so end_strays() ignores
                                                // it
  process_ = 0;
  return ended;
}

/// One printable line. The process may have written anything.
std::string Process::last_words() const {
  std::array<char, 1024> text;
  const ssize_t got = ::read(words_, text.data(), text.size());
  std::string words;
  for (ssize_t i = 0; i < got && text[size_t(i)] != '\n'; ++i)
    words += text[size_t(i)] >= ' ' && text[size_t(i)] < 0x7f ? text[size_t(i)] : '?';
  return words;
}

std::string Process::exit_text() {
  constexpr int kMoment = 2000;
  if (process_ > 0 && !ends_within(kMoment)) {
    kill();
    return "closed the worker's socket and went on";
  }
  if (!WIFSIGNALED(status_)) return "ended its process with exit code " + std::to_string(WEXITSTATUS(status_));
  const int signal = WTERMSIG(status_);
  if (signal == SIGKILL) return "killed by SIGKILL, by another process or because memory ran out";
  const char* const name = ::sigabbrev_np(signal);
  const std::string short_text = "SIG" + std::string(name != nullptr ? name : std::to_string(signal).c_str());
  const std::string words = last_words();
  return "crashed: " + (words.starts_with(short_text) ? words : short_text) + kHint;
}

}  // namespace assay
