// An answer block by block: small enough for a cache, on all cores, in memory that does not grow with the tensor.
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

/// All steps of an answer in ranges of some ten thousand elements, or of one step where that has more.
std::vector<StepRange> block_ranges(const Answer& answer);

/// Runs f(i) for i from 0 to count - 1 on the shared threads. Work that waits elsewhere in the program is not taken up meanwhile,
/// so f may be called under a lock. An exception out of f is thrown on.
void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f);

/// Calls f(index of the range, its block) for each range, from several threads at once.
void for_each_block(const Answer& answer, const std::vector<StepRange>& ranges,
                    const std::function<void(size_t, const AcceptedBlock&)>& f);

/// The same, one after the other in their order, while further blocks are computed.
void for_each_block_in_order(const Answer& answer, const std::vector<StepRange>& ranges,
                             const std::function<void(const AcceptedBlock&)>& f);

}  // namespace assay
