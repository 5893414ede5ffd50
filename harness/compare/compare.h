// Holds outputs against what they may be. Knows codes and ordinals, no op and no back end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/byte_range.h"
#include "harness/core/expectation.h"
#include "harness/core/sample.h"
#include "harness/core/tensor.h"

namespace assay {

/// What outputs are to the answer that they come nearest to.
struct Finding {
  std::string program;               ///< of that answer
  std::vector<TensorFinding> parts;  ///< of each of its parts
  std::vector<Violation> violations; ///< the first of them, in the order of steps; then those between tensors
  int64_t all_violations = 0;
  Sample sample;                     ///< which steps the diagnosis should look at

  static constexpr size_t kMostViolations = 64;
  bool agrees() const;
};

/// Compares every element and every padding element with each answer, block by block on all cores, until one agrees; else the
/// finding is that of the answer with the fewest elements outside. A part has a picture if elements are outside or if violations
/// have places in it.
///
/// An element is right if its interval holds its ordinal; NaN is right only where the interval is NaN, and -0 and +0 are two
/// codes. An interval of anything is unjudged: right, and counted. `untouched`: of each tensor the bytes that the call did not
/// write, ascending; only PaddingRule::kUntouched looks at them. Throws std::logic_error if the expectation does not fit the
/// tensors: a missing tensor, numbers of intervals, an offset outside the storage.
Finding compare(const Expectation& expectation, const std::vector<HostTensor>& tensors,
                const std::vector<std::vector<ByteRange>>& untouched);

/// Logical elements of which a byte was not written: how many, and the first one's row and column.
struct Unwritten {
  int64_t elements = 0;
  std::array<int64_t, 2> first{};
};
Unwritten unwritten_elements(const Part& part, const TensorSpec& spec, const std::vector<ByteRange>& untouched);

}  // namespace assay
