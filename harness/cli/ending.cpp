#include "harness/cli/ending.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "harness/backend/live_workers.h"
#include "harness/backend/worker_files.h"

namespace assay {
namespace {

std::atomic<int> asked{0};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not wait for a lock");

/// How often each signal came from the supervisor (supervisor.h), and how often from elsewhere. What a terminal sends to the process
/// group comes once from either.
struct Count {
  std::atomic<int> forwarded{0}, direct{0};
};
std::array<Count, 65> counts;

void end_at_once(int signal) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// True if a kernel sent it.
bool is_of_worker(int signal, const siginfo_t* info) {
  if (info->si_code > 0) return false;  // the system's
  const pid_t worker = worker_of(info->si_pid);
  if (worker > 0) note_signal_of(worker, signal);
  return worker > 0;
}

/// Runners send SIGINT, then SIGTERM, then SIGKILL, some seconds apart: only a person's second SIGINT means at once.
void ask(int signal, siginfo_t* info, void*) {
  const int error = errno;
  if (!is_of_worker(signal, info)) {
    Count& count = counts[size_t(signal)];
    const int before = std::max<int>(count.forwarded, count.direct);
    ++(info->si_code <= 0 && info->si_pid == ::getppid() ? count.forwarded : count.direct);
    const bool is_new = std::max<int>(count.forwarded, count.direct) > before;
    int none = 0;
    if (asked.compare_exchange_strong(none, signal)) {
      constexpr std::string_view kText = "\nassay: stopping; reports follow. A second SIGINT stops without them\n";
      (void)!::write(STDERR_FILENO, kText.data(), kText.size());
    } else if (signal == SIGINT && is_new) {
      end_at_once(signal);
    }
  }
  errno = error;
}

/// Signals that would end the process, and that a kernel may send.
void mind(int signal, siginfo_t* info, void*) {
  const int error = errno;
  if (!is_of_worker(signal, info)) end_at_once(signal);
  errno = error;
}

/// The workers have sessions of their own and hear nothing of a terminal.
void stop_with_workers(int, siginfo_t* info, void*) {
  if (is_of_worker(SIGTSTP, info)) return;
  const int error = errno;
  signal_live_workers(SIGSTOP);
  ::raise(SIGSTOP);
  signal_live_workers(SIGCONT);
  errno = error;
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction now {};
  if (::sigaction(signal, nullptr, &now) != 0 || (now.sa_handler == SIG_IGN && signal != SIGINT && signal != SIGTERM)) return;  // nohup
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void end_on_signals() {
  for (const int signal : kSignalsThatEndARun) handle(signal, ask);
  for (const int signal : {SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGXCPU, SIGSTKFLT}) handle(signal, mind);
  handle(SIGTSTP, stop_with_workers);
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

}  // namespace assay
