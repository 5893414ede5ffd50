#include "harness/cli/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "harness/backend/worker_messages.h"
#include "harness/backend/worker_process.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

std::atomic<int> asked{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not wait for a lock");

/// How often each signal came from the supervisor (supervisor.h) and from other senders. A terminal's signal to the process group
/// arrives twice: from the terminal, and passed on by the supervisor.
struct Count {
  std::atomic<int> forwarded{0}, direct{0};
};
std::array<Count, 65> counts;

void end_at_once(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(signal);
}

/// Whether a kernel sent the signal.
bool is_of_worker(int signal, const siginfo_t* info) {
  if (info->si_code > 0) return false;  // sent by the system
  const pid_t worker = worker_of(info->si_pid);
  if (worker > 0) note_signal_of(worker, signal);
  return worker > 0;
}

/// Requests an early end of the run. A second SIGINT, which a person sends, ends the process at once. SIGTERM does not, because
/// job runners send SIGINT, SIGTERM and SIGKILL some seconds apart.
void ask(int signal, siginfo_t* info, void*) {
  const int error = errno;
  if (!is_of_worker(signal, info)) {
    Count& count = counts[size_t(signal)];
    const int before = std::max<int>(count.forwarded, count.direct);
    ++(info->si_code <= 0 && info->si_pid == ::getppid() ? count.forwarded : count.direct);
    const bool is_new = std::max<int>(count.forwarded, count.direct) > before;
    int none = 0;
    if (asked.compare_exchange_strong(none, signal)) {
      constexpr std::string_view kText =
          "\nassay: the run stops and writes its reports; a second SIGINT stops it without reports\n";
      (void)!::write(STDERR_FILENO, kText.data(), kText.size());
    } else if (signal == SIGINT && is_new) {
      end_at_once(signal);
    }
  }
  errno = error;
}

/// Handles other signals that would end the process: ignores a signal that a kernel sent; any other signal ends the process.
void mind(int signal, siginfo_t* info, void*) {
  const int error = errno;
  if (!is_of_worker(signal, info)) end_at_once(signal);
  errno = error;
}

/// Stops this process and its workers. Workers have sessions of their own, so a terminal's signals do not reach them.
void stop_with_workers(int, siginfo_t* info, void*) {
  if (is_of_worker(SIGTSTP, info)) return;
  const int error = errno;
  signal_live_workers(SIGSTOP);
  ::raise(SIGSTOP);
  signal_live_workers(SIGCONT);
  errno = error;
}

constexpr int kSignalsOfKernels[] = {SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGXCPU, SIGSTKFLT};

void react(int signal, siginfo_t* info, void* context) {
  if (signal == SIGTSTP) return stop_with_workers(signal, info, context);
  const bool is_minded =
      std::find(std::begin(kSignalsOfKernels), std::end(kSignalsOfKernels), signal) != std::end(kSignalsOfKernels);
  (is_minded ? mind : ask)(signal, info, context);
}

/// Installs a handler for the signal. receive_signals() alone is not enough: threads that a library started earlier do not block the signal and may get it.
void handle(int signal, sigset_t& handled) {
  struct sigaction now {};
  // under nohup the process ignores SIGHUP, and must continue to ignore it
  if (::sigaction(signal, nullptr, &now) != 0 || (now.sa_handler == SIG_IGN && signal != SIGINT && signal != SIGTERM)) return;
  ::sigaddset(&handled, signal);
  struct sigaction action {};
  action.sa_sigaction = react;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void end_on_signals() {
  sigset_t handled;
  ::sigemptyset(&handled);
  for (const int signal : kSignalsThatEndARun) handle(signal, handled);
  for (const int signal : kSignalsOfKernels) handle(signal, handled);
  handle(SIGTSTP, handled);
  receive_signals(handled, react);
}

const char* ended_by() {
  switch (asked) {
    case 0: return nullptr;
    case SIGINT: return "SIGINT";
    case SIGHUP: return "SIGHUP";
    default: return "SIGTERM";
  }
}

int exit_code_of_ending() { return 128 + asked; }

namespace {

enum Kind : char { kBegin = 'B', kCalls = 'C', kJudged = 'V', kJudgedFirst = 'F', kWrote = 'W' };

/// The last signal that the supervisor received, and its sender; 0: none. The signal handler note() stores it.
struct Came {
  std::atomic<int> signal{0}, count_of_interrupts{0};
  std::atomic<pid_t> sender{0};
};
Came came;

void note(int signal, siginfo_t* info, void*) {
  came.sender = info->si_code > 0 ? 0 : info->si_pid;
  came.signal = signal;
}

std::string name_of(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return "SIG" + std::string(name != nullptr ? name : std::to_string(signal).c_str());
}

/// What the child has reported so far.
class Told {
 public:
  KilledRun run;
  std::string calling;  ///< text about the latest call: kernel, op and contract
  bool began = false, wrote = false;

  /// Reads complete messages (kind, length, fields) from the front of the buffer, and removes them.
  void take(std::string& buffer) {
    constexpr size_t kHead = 1 + sizeof(uint64_t);
    size_t at = 0;
    for (uint64_t size = 0; buffer.size() - at >= kHead; at += kHead + size) {
      std::memcpy(&size, buffer.data() + at + 1, sizeof size);
      if (buffer.size() - at - kHead < size) break;
      MessageReader in(buffer.substr(at + kHead, size));
      take_message(buffer[at], in);
    }
    buffer.erase(0, at);
  }

 private:
  void take_message(char kind, MessageReader& in) {
    if (kind == kWrote) wrote = true;
    if (kind == kCalls) calling = in.text();
    if (kind == kJudged || kind == kJudgedFirst) take_verdict(in, kind == kJudgedFirst);
    if (kind != kBegin) return;
    began = true;
    LibraryInfo& library = run.library;
    for (std::string* field : {&library.path, &library.name, &library.arch, &library.device, &library.driver, &library.toolkit})
      *field = in.text();
  }
  void take_verdict(MessageReader& in, bool without_cause) {
    Verdict v;
    for (std::string* field : {&v.case_id, &v.kernel, &v.backend, &v.message, &v.why, &v.origin, &v.repro, &v.op, &v.contract,
                               &v.arch, &v.warp, &v.expected, &v.deviation, &v.program})
      *field = in.text();
    v.outcome = Outcome(in.number<uint8_t>());
    v.offered = in.number<uint8_t>() != 0;
    v.device_lost = in.number<uint8_t>() != 0;
    v.seconds = in.number<double>();
    v.causes.resize(in.number<uint32_t>());
    for (std::string& cause : v.causes) cause = in.text();
    run.result.device_lost |= v.device_lost;
    const std::pair key(v.case_id, v.kernel);
    if (const auto known = without_cause_.find(key); known != without_cause_.end()) {
      run.result.verdicts[known->second] = std::move(v);
      without_cause_.erase(known);
      return;
    }
    if (without_cause) without_cause_[key] = run.result.verdicts.size();
    run.result.verdicts.push_back(std::move(v));
  }

  std::map<std::pair<std::string, std::string>, size_t> without_cause_;  ///< (case, kernel) -> index in the result
};

/// The text after a word in /proc/N/status; empty if the word is not there.
std::string status_of(pid_t process, const std::string& word) {
  std::ifstream lines("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(word)) return line.substr(std::min(line.find_first_not_of(" \t", word.size()), line.size()));
  return "";
}

class Supervisor {
 public:
  Supervisor(pid_t child, int pipe) : child_(child), pipe_(pipe) {}

  /// Waits until the child has ended. Returns its status.
  int watch() {
    int status = 0;
    for (bool open = true;;) {
      if (open) open = read_some();
      if (told.began && !listens_) listen();
      if (const int signal = came.signal.exchange(0); signal != 0) forward(signal);
      const pid_t looked = ::waitpid(child_, &status, open ? WNOHANG : 0);
      if (looked == child_) break;
      if (looked < 0 && errno != EINTR) break;
      see_to_stops();
    }
    while (read_some()) {
    }
    return status;
  }

  Told told;
  bool interrupted_twice() const { return interrupts_ > 1; }

 private:
  static constexpr int kSlice = 200;  // ms

  /// Returns false once the pipe is closed.
  bool read_some() {
    pollfd wait{pipe_, POLLIN, 0};
    if (::poll(&wait, 1, kSlice) <= 0) return true;
    std::array<char, size_t{1} << 16> piece;
    const ssize_t got = ::read(pipe_, piece.data(), piece.size());
    if (got < 0) return errno == EINTR;
    buffer_.append(piece.data(), size_t(got));
    try {
      told.take(buffer_);
    } catch (const std::runtime_error&) {  // the child's message is invalid: stop reading
      return false;
    }
    return got > 0;
  }

  /// Handles the signals that end a run. Call it when the run has begun; earlier, these signals end the run without reports.
  void listen() {
    listens_ = true;
    struct sigaction action {};
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    for (const int signal : kSignalsThatEndARun) {
      struct sigaction now {};
      if (::sigaction(signal, nullptr, &now) == 0 && (now.sa_handler != SIG_IGN || signal != SIGHUP))
        ::sigaction(signal, &action, nullptr);
    }
  }

  void forward(int signal) {
    const pid_t sender = came.sender;
    const std::vector<pid_t> ours = descendants_of(::getpid());
    if (sender > 0 && sender != child_ && std::find(ours.begin(), ours.end(), sender) != ours.end()) {
      std::fprintf(stderr, "assay: ignored %s from process %d, which a kernel started\n", name_of(signal).c_str(), int(sender));
      return;
    }
    interrupts_ += int(signal == SIGINT);
    ::kill(child_, signal);
  }

  /// Continues the child if a signal stopped the child alone. If a process that the run started traces the child, kills that
  /// process. A stop from the terminal also stops this process, so this code does not run then.
  void see_to_stops() {
    constexpr int kPatience = 2000 / kSlice, kBetweenLooks = 5;
    if (++slices_ % kBetweenLooks != 0) return;
    const std::string state = status_of(child_, "State:");
    if (state.starts_with('t')) {
      const pid_t tracer = std::atoi(status_of(child_, "TracerPid:").c_str());
      const std::vector<pid_t> ours = descendants_of(::getpid());
      if (std::find(ours.begin(), ours.end(), tracer) != ours.end()) ::kill(tracer, SIGKILL);
    }
    stopped_ = state.starts_with('T') ? stopped_ + kBetweenLooks : 0;
    if (stopped_ <= kPatience) return;
    std::fprintf(stderr, "assay: another process had stopped the run with a signal; the run continues\n");
    ::kill(child_, SIGCONT);
    stopped_ = 0;
  }

  pid_t child_;
  int pipe_;
  std::string buffer_;
  bool listens_ = false;
  int interrupts_ = 0, slices_ = 0, stopped_ = 0;
};

}  // namespace

void Supervised::tell(char kind, const std::string& message) const {
  if (pipe_ < 0) return;
  MessageWriter out;
  out.number(kind);
  out.text(message);
  const std::string& bytes = out.bytes();
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t written = ::write(pipe_, bytes.data() + at, bytes.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    at += size_t(written);
  }
}

void Supervised::begin(const LibraryInfo& library) const {
  MessageWriter out;
  for (const std::string* field :
       {&library.path, &library.name, &library.arch, &library.device, &library.driver, &library.toolkit})
    out.text(*field);
  tell(kBegin, out.bytes());
}

void Supervised::calls(const CallRequest& request) const {
  MessageWriter out;
  out.text("kernel '" + request.kernel + "', op " + request.op + ", contract " + request.contract);
  tell(kCalls, out.bytes());
}

void Supervised::judged(const Verdict& verdict) const { tell_verdict(kJudged, verdict); }

void Supervised::judged_first(const Verdict& verdict) const {
  Verdict without_cause = verdict;
  without_cause.causes = {"cause not sought, because the run ended first"};
  tell_verdict(kJudgedFirst, without_cause);
}

void Supervised::tell_verdict(char kind, const Verdict& v) const {
  MessageWriter out;
  for (const std::string* field : {&v.case_id, &v.kernel, &v.backend, &v.message, &v.why, &v.origin, &v.repro, &v.op, &v.contract,
                                   &v.arch, &v.warp, &v.expected, &v.deviation, &v.program})
    out.text(*field);
  out.number(uint8_t(v.outcome));
  out.number(uint8_t(v.offered));
  out.number(uint8_t(v.device_lost));
  out.number(v.seconds);
  out.number(uint32_t(v.causes.size()));
  for (const std::string& cause : v.causes) out.text(cause);
  tell(kind, out.bytes());
}

void Supervised::wrote_reports() const { tell(kWrote, ""); }

int supervised(const std::function<int(const Supervised&)>& run, const std::function<void(const KilledRun&)>& report) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make the pipe to the process that runs the cases");
  const int read_end = beyond_worker_files(pipe[0], "cannot make the pipe to the process that runs the cases"),
            write_end = beyond_worker_files(pipe[1], "cannot make the pipe to the process that runs the cases");
  adopt_orphans();
  std::fflush(nullptr);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start the process that runs the cases");
  if (child == 0) {
    ::close(read_end);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    adopt_orphans();
    return run(Supervised(write_end));
  }
  ::close(write_end);
  Supervisor supervisor(child, read_end);
  const int status = supervisor.watch();
  ::close(read_end);
  end_strays();
  Told& told = supervisor.told;
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  std::fprintf(stderr, "assay: the run was ended by %s%s\n", name_of(signal).c_str(),
               told.calling.empty() ? "" : printable("; its last call was of " + told.calling).c_str());
  if (told.began && !told.wrote && !supervisor.interrupted_twice()) {
    told.run.result.ended_by = name_of(signal);
    report(told.run);
  }
  return 128 + signal;
}

}  // namespace assay
