#include "harness/backend/worker_limits.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "harness/backend/descendants.h"
#include "harness/backend/worker_files.h"

namespace assay {
namespace {

/// Number after a word in a /proc file, in KiB; 0 if there is none.
uint64_t kibibytes_of(const char* file, const std::string& word) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(word)) return std::strtoull(line.c_str() + word.size(), nullptr, 10);
  return 0;
}

uint64_t memory_of_machine() {
  uint64_t bytes = kibibytes_of("/proc/meminfo", "MemTotal:") << 10;
  uint64_t of_container = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> of_container && of_container > 0) bytes = std::min(bytes, of_container);
  return bytes;
}

}  // namespace

void limit_memory(uint64_t bytes) {
  if (bytes == 0) bytes = memory_of_machine() / 2;
  // Counts private writable memory (VmData), so a sanitizer's shadow memory and address space reserved by a device driver do not
  // count.
  const uint64_t has = kibibytes_of("/proc/self/status", "VmData:") << 10;
  rlimit limit{};
  if (bytes > 0 && ::getrlimit(RLIMIT_DATA, &limit) == 0 && has + bytes < limit.rlim_cur) {
    limit.rlim_cur = has + bytes;
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  std::ofstream("/proc/self/oom_score_adj") << 1000;
}

void end_with_other_side(int socket) {
  std::thread([socket, harness = ::getppid()] {
    // Checks repeatedly with short timeouts: a blocking poll would keep the socket open after a kernel has closed it, and the
    // other side would not notice.
    constexpr int kMilliseconds = 250;
    for (;;) {
      pollfd other{socket, POLLRDHUP, 0};
      ::poll(&other, 1, kMilliseconds);
      const bool is_closed_here = (other.revents & POLLNVAL) != 0;
      if (::getppid() != harness || ((other.revents & (POLLRDHUP | POLLHUP)) != 0 && !is_closed_here)) break;
      if (is_closed_here) ::usleep(kMilliseconds * 1000);
    }
    constexpr unsigned kSecondsToEndByItself = 2;
    ::sleep(kSecondsToEndByItself);
    end_descendants(::getpid());
    ::kill(::getpid(), SIGKILL);
  }).detach();
}

void obey_own_signals_alone() {
  struct sigaction action {};
  action.sa_sigaction = [](int signal, siginfo_t* info, void*) {
    if (info->si_code > 0 || ::getsid(info->si_pid) != ::getsid(0)) return;
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  };
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  sigset_t held;
  ::sigemptyset(&held);
  for (const int signal : kSignalsThatEndARun) {
    ::sigaction(signal, &action, nullptr);
    ::sigaddset(&held, signal);
  }
  ::sigprocmask(SIG_UNBLOCK, &held, nullptr);
}

}  // namespace assay
