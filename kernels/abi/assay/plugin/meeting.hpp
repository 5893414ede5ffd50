// Shared memory and a barrier for the processes of one machine that hold the ranks of one group: a folder of files that all of
// them map. Needs POSIX only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>

#include "assay/plugin/call.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

class Meeting {
 public:
  /// Throws Refusal if files cannot be created in the folder.
  explicit Meeting(const assay_place& place)
      : size_(place.world_size), first_(place.first_rank), count_(place.n_ranks), folder_(place.folder) {
    for (int32_t r = first_; r < first_ + count_; ++r) {
      const std::string name = folder_ + "/rank" + std::to_string(r);
      const int file = ::open((name + ".comes").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      // The file stays locked while this process lives. This rename makes it visible to peers.
      if (file < 0 || ::flock(file, LOCK_EX) != 0 || ::rename((name + ".comes").c_str(), name.c_str()) != 0)
        throw Refusal(ASSAY_FAILED, "cannot create files in the folder " + folder_);
      own_[r] = file;
    }
    steps_ = static_cast<uint64_t*>(memory("steps", size_t(size_) * kApart));
  }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  ~Meeting() {
    for (auto& [name, piece] : pieces_) ::munmap(piece.first, piece.second);
    for (auto& [rank, file] : own_) ::close(file);
  }

  int32_t size() const { return size_; }
  int32_t first() const { return first_; }
  int32_t count() const { return count_; }
  bool holds(int32_t rank) const { return rank >= first_ && rank < first_ + count_; }

  /// Returns the memory with that name, which all processes share and which starts as zeros. All processes must ask for the same
  /// number of bytes.
  void* memory(const std::string& name, size_t bytes) {
    const auto known = pieces_.find(name);
    if (known != pieces_.end()) return known->second.first;
    const int file = ::open((folder_ + "/" + name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void* const data = file >= 0 && ::posix_fallocate(file, 0, off_t(bytes)) == 0
                           ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                           : MAP_FAILED;
    if (file >= 0) ::close(file);
    if (data == MAP_FAILED) unsupported("out of memory in " + folder_);
    pieces_[name] = {data, bytes};
    return data;
  }

  /// Barrier: waits until every rank has called it as often as this process. Returns -1, or the first rank that is late or whose
  /// process has ended. A rank is late after about ten seconds (more on a busy machine, since the loop counts its turns).
  int32_t missing() {
    ++step_;
    for (int32_t r = first_; r < first_ + count_; ++r) __atomic_store_n(step_of(r), step_, __ATOMIC_RELEASE);
    constexpr int kBusyTurns = 16, kTurns = kBusyTurns + 100'000, kBetweenLooks = 128;
    for (int32_t r = 0; r < size_; ++r)
      for (int turn = 1; __atomic_load_n(step_of(r), __ATOMIC_ACQUIRE) < step_; ++turn) {
        if (turn < kBusyTurns)
          ::sched_yield();
        else
          ::usleep(100);
        const bool over = turn == kTurns || (turn % kBetweenLooks == 0 && has_ended(r));
        if (over && __atomic_load_n(step_of(r), __ATOMIC_ACQUIRE) < step_) return r;
      }
    return -1;
  }

  /// True if the process that holds this rank had joined, and has since ended or left the group.
  bool has_ended(int32_t rank) const {
    if (holds(rank)) return false;
    const int file = ::open((folder_ + "/rank" + std::to_string(rank)).c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) return false;
    const bool free = ::flock(file, LOCK_SH | LOCK_NB) == 0;
    ::close(file);
    return free;
  }
  /// True if has_ended() holds for any rank of the group; suitable as Ranks::lost.
  static bool lost(const void* of) {
    const auto& self = *static_cast<const Meeting*>(of);
    for (int32_t r = 0; r < self.size_; ++r)
      if (self.has_ended(r)) return true;
    return false;
  }

 private:
  static constexpr size_t kApart = 64;  ///< bytes between the counters of two ranks, so that they lie in different cache lines
  uint64_t* step_of(int32_t rank) const { return steps_ + size_t(rank) * (kApart / sizeof(uint64_t)); }

  int32_t size_, first_, count_;
  std::string folder_;
  std::map<int32_t, int> own_;
  std::map<std::string, std::pair<void*, size_t>> pieces_;
  uint64_t* steps_ = nullptr;
  uint64_t step_ = 0;
};

}  // namespace assay::plugin
#pragma GCC visibility pop
