// A kernel library for tests of the harness. It has one op, "toy", which copies x to y. Each kernel except "copy" misbehaves in
// its own way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "assay/abi.h"

namespace assay::testing {

// The library as the harness opens it. Its kernels (toy::run_now) and rank groups (toy::run_group) are declared below, so that
// its source files share them.

/// Kernels: toy::names() lists kernels for one rank, toy::kOfRanks kernels for up to four ranks. Two more kernels test graph
/// capture: ignores_capture runs at once instead of in the graph, and cannot_be_captured fails. Streams and graphs are lists of
/// calls. A kernel whose name ends in _workspace requests a workspace of 100 bytes.
const assay_library* toy_library();

}  // namespace assay::testing

namespace assay::testing::toy {

// The kernels of the toy library (toy_library.h).

/// Names of all single-rank kernels, in alphabetical order.
std::vector<std::string> names();

/// Runs a call immediately. A kernel that names() does not list copies x to y; its name makes the library behave in a special way
/// (workspace, streams, ranks). Exceptions of the kernel leave this function.
assay_status run_now(const assay_call& call);

/// Throws std::runtime_error if the call has no such tensor.
const assay_tensor& tensor(const assay_call& call, const char* role);

/// Stores the message for the caller.
/// @return the status
assay_status say(const assay_call& call, assay_status status, const char* words);

// Rank groups of the toy library, with host implementations of streams and graphs.

/// A host stream. While a stream captures, calls are stored.
struct Stream {
  bool captures = false;
  int since_wait = 0;  ///< number of calls of ranks since the last wait
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

/// Runs one call per rank, or stores the calls if their stream is being captured.
assay_status run_group(void* group, const assay_call* const* calls, int32_t n);

/// n_calls calls per rank, back-to-back.
assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n);

}  // namespace assay::testing::toy
