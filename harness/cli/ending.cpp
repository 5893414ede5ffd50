#include "harness/cli/ending.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

namespace assay {
namespace {

std::atomic<int> asked{0};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not wait for a lock");

/// Runners send SIGINT, then SIGTERM, then SIGKILL, some seconds apart: only a person's second SIGINT means at once.
void ask(int signal) {
  if (asked.exchange(signal) != 0) {
    if (signal != SIGINT) return;
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  constexpr std::string_view kText = "\nassay: ending, then come the reports; a second SIGINT ends without them\n";
  (void)!::write(STDERR_FILENO, kText.data(), kText.size());
}

}  // namespace

void end_on_signals() {
  struct sigaction action {};
  action.sa_handler = ask;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

const char* ended_by() {
  const int signal = asked;
  return signal == 0 ? nullptr : signal == SIGINT ? "SIGINT" : "SIGTERM";
}

int exit_code_of_ending() { return 128 + asked; }

}  // namespace assay
