// OS threads that are ranks of one call: they run one at a time, in an order drawn from a seed, and change over where a rank
// waits. What a rank sends is held back until it signals with release, as on a machine that reorders. So a protocol that is wrong
// is wrong in every run of that seed, and ranks that wait for each other in vain are found at once. Under TSan they run together
// instead.
#pragma once

#include <cstdint>

namespace simt::cpu {

using Ready = bool (*)(const void* at, uint64_t value);

/// The calling thread is that rank of the team until the end of the scope. All `size` ranks of a team come with one key.
class RankScope {
 public:
  /// `straggler`: a rank that goes on only where no other can, or where ranks run at once is late; -1: none.
  RankScope(const void* key, int rank, int size, uint64_t seed, int straggler);
  /// A rank of whose team other processes hold members: all run at once. It waits no longer once lost(of).
  RankScope(bool (*lost)(const void* of), const void* of, bool is_late);
  RankScope(const RankScope&) = delete;
  RankScope& operator=(const RankScope&) = delete;
  ~RankScope();
};

/// Lets other ranks run until ready(at, value). False if no rank can go on any more.
bool wait_until(Ready ready, const void* at, uint64_t value);

/// A place where another rank may take over. Where ranks run at once one that is late waits 2 ms, so that all others come first.
void may_change_rank();

/// Sixteen bytes for others, or a word of four.
void hold_back(void* to, const void* from, int bytes);
/// What this rank held back for that address; false if nothing.
bool held_back(const void* at, void* into, int bytes);
void deliver();

}  // namespace simt::cpu
