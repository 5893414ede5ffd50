// Finds accesses of two waves to the same bytes with nothing between that orders them, at least one of them a write. Waves of a group
// are ordered by barriers; groups by a release (buffer_wbl2, or an atomic) and an acquire (buffer_inv) behind it. Atomics and loads and
// stores of agent or system scope (sc1) do not race with each other.
#pragma once

#include <array>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kernels/gcn_executor/executor.h"

namespace assay_gcn {

class RaceDetector {
 public:
  enum Kind { kRead, kWrite };

  /// An access of one lane, or of consecutive lanes together. `touches`: of the space; `offset`: in it; `what`: for the message.
  void access(Wave& w, const Operation* o, std::vector<Touch>& touches, uint64_t offset, uint64_t bytes, Kind kind, bool atomic,
              const Buffer* buffer);
  /// Of global memory.
  void access(Wave& w, const Operation* o, Buffer& buffer, uint64_t address, uint64_t bytes, Kind kind, bool atomic);
  void barrier(Group& group) { group.ordered = ++time_; }
  void acquire(Group& group) { group.acquired = ++time_; }
  void begin_batch() {
    ++batch_;
    time_ = 1;
    splits_.clear();
  }
  /// One line each: the kernel, both instructions, the address.
  const std::vector<std::string>& found() const { return found_; }

 private:
  bool ordered(const Wave& w, const Access& earlier) const;
  /// Reports what conflicts with an access to bytes of a word, of which `touch` says the last ones. False: waves touch different bytes of it.
  bool touch_bytes(Wave& w, const Operation* o, Touch& touch, unsigned mask, uint64_t offset, Kind kind, bool atomic, const Buffer* buffer);
  void split(Touch& touch);
  void report(Wave& w, const Operation* o, const Access& earlier, bool earlier_writes, Kind kind, uint64_t offset, const Buffer* buffer);

  uint32_t time_ = 1;
  uint64_t batch_ = 1;
  std::vector<std::string> found_;
  std::set<std::pair<const Operation*, const Operation*>> pairs_;
  std::vector<std::array<Touch, 4>> splits_;  ///< of words whose bytes several waves touched, one for each byte
};

}  // namespace assay_gcn
