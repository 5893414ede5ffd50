// Holds one output tensor against what it may be. Knows codes and ordinals, no op and no back end.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "harness/core/verdict.h"

namespace assay {

/// Bytes [begin, end) of a tensor's storage.
struct ByteRange {
  int64_t begin, end;
  bool operator==(const ByteRange&) const = default;
};

/// Compares every element and every padding element. The finding has a picture if elements are outside.
///
/// An element is right if low <= ordinal <= high. NaN is right only where low is kNanOrdinal; -0 and +0 are two codes. The
/// interval from kAnyLow to INT32_MAX is unjudged: right, and counted. `untouched` are the bytes that the call did not write,
/// ascending; only PaddingRule::kUntouched looks at them. Throws std::logic_error if the expectation does not fit the tensor:
/// sizes of its arrays, or an offset outside the storage.
TensorFinding compare(const ExpectedTensor& expected, const HostTensor& tensor, const std::vector<ByteRange>& untouched);

/// Logical elements of which a byte was not written: how many, and the first one's row and column.
struct Unwritten {
  int64_t elements = 0;
  std::array<int64_t, 2> first{};
};
Unwritten unwritten_elements(const ExpectedTensor& expected, const std::vector<ByteRange>& untouched);

}  // namespace assay
