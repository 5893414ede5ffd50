// Rank groups of the toy library, with host implementations of streams and graphs.
#pragma once

#include <functional>
#include <vector>

#include "assay/abi.h"

namespace assay::testing::toy {

/// A host stream. While it captures, calls are stored.
struct Stream {
  bool captures = false;
  int since_wait = 0;  ///< calls of ranks since the last wait
  std::vector<std::function<void()>> kept;
};
using Graph = std::vector<std::function<void()>>;

inline Stream& stream_of(void* stream) { return *static_cast<Stream*>(stream); }

/// Kernels for several ranks; any other kernel called with a group behaves like sums_ranks.
inline constexpr const char* kOfRanks[] = {"sums_ranks",   "rank_fails",        "rank_hangs",
                                           "counts_calls", "late_under_replay", "meets_the_one_ahead"};

/// Creates a group of that many ranks; null beyond four. Free it with destroy_group().
void* create_group(int32_t world_size);
void destroy_group(void* group);

/// One call per rank: runs them, or stores them if their stream is being captured.
assay_status run_group(void* group, const assay_call* const* calls, int32_t n);

/// n_calls calls per rank, back-to-back.
assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n);

}  // namespace assay::testing::toy
