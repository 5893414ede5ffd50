// Computes an answer block by block: a block fits in a cache, blocks run on all cores, and memory does not grow with the tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// Steps [first, end).
struct StepRange {
  int64_t first = 0, end = 0;
  bool operator==(const StepRange&) const = default;
};

/// All steps of an answer, in ranges of about ten thousand elements. A step with more elements gets a range of its own.
std::vector<StepRange> block_ranges(const Answer& answer);

/// Runs f(i) for i in [0, count) on the shared thread pool. While it waits, it takes no unrelated task, so f may be called while
/// holding a lock. Rethrows an exception of f.
void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f);

/// Calls f(index of the range, block) for each range, concurrently from several threads.
void for_each_block(const Answer& answer, const std::vector<StepRange>& ranges,
                    const std::function<void(size_t, const AcceptedBlock&)>& f);

/// As above, but calls f in the order of the ranges while later blocks are being computed.
void for_each_block_in_order(const Answer& answer, const std::vector<StepRange>& ranges,
                             const std::function<void(const AcceptedBlock&)>& f);

}  // namespace assay
