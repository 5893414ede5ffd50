#include "harness/backend/descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "harness/backend/live_workers.h"

namespace assay {
namespace {

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

/// (process, parent) of every process.
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
  // Bounds the loop: processes may fork faster than they are found, and a driver may keep one from ending.
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

}  // namespace assay
