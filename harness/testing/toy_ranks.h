// The groups of the toy library: ranks that wait for each other, in streams and graphs of the host.
#pragma once

#include <functional>
#include <vector>

#include "assay/abi.h"

namespace assay::testing::toy {

/// A stream of the host: while it captures, calls are kept for later.
struct Stream {
  bool captures = false;
  int since_wait = 0;  ///< calls of ranks that nobody waited for
  std::vector<std::function<void()>> kept;
};
using Graph = std::vector<std::function<void()>>;

inline Stream& stream_of(void* stream) { return *static_cast<Stream*>(stream); }

/// Kernels of ranks; what else is called with a group sums as sums_ranks does.
inline constexpr const char* kOfRanks[] = {"sums_ranks",   "rank_fails",        "rank_hangs",
                                           "counts_calls", "late_under_replay", "meets_the_one_ahead"};

/// A group of so many ranks, or null beyond four. Ends with destroy_group().
void* create_group(int32_t world_size);
void destroy_group(void* group);

/// One call of each of n ranks: at once, or kept if their stream captures.
assay_status run_group(void* group, const assay_call* const* calls, int32_t n);

/// n_calls of them, nobody waiting between.
assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n);

}  // namespace assay::testing::toy
