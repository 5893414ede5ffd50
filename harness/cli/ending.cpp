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

/// How often each signal came from the supervisor (supervisor.h) and from elsewhere. A terminal's signal to the process group
/// arrives once from each.
struct Count {
  std::atomic<int> forwarded{0}, direct{0};
};
std::array<Count, 65> counts;

void end_at_once(int signal) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// Whether a kernel sent the signal.
bool is_of_worker(int signal, const siginfo_t* info) {
  if (info->si_code > 0) return false;  // sent by the system
  const pid_t worker = worker_of(info->si_pid);
  if (worker > 0) note_signal_of(worker, signal);
  return worker > 0;
}

/// Job runners send SIGINT, SIGTERM and SIGKILL some seconds apart. So only a second SIGINT, from a person, ends the process at
/// once.
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

/// Handles signals that would end the process and that a kernel may send.
void mind(int signal, siginfo_t* info, void*) {
  const int error = errno;
  if (!is_of_worker(signal, info)) end_at_once(signal);
  errno = error;
}

/// Stops the workers too: they have sessions of their own, so a terminal's signals do not reach them.
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
  // ignored by nohup
  if (::sigaction(signal, nullptr, &now) != 0 || (now.sa_handler == SIG_IGN && signal != SIGINT && signal != SIGTERM)) return;
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
