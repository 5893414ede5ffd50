// Helpers for tests that compare a single part with a tensor: parts with listed codes and offsets.
#pragma once

#include <utility>
#include <vector>

#include "harness/compare/compare.h"

namespace assay::testing {

/// A part whose elements accept the ordinals from `low` to `high`; with `high` empty, exactly `low`.
inline WholePart whole_part(const Format& format, std::array<int64_t, 2> shape, std::vector<int32_t> low, std::vector<int32_t> high = {},
                            std::string justification = {}, std::string tensor = "q") {
  return {{std::move(tensor), &format, shape, std::move(justification)}, std::move(low), std::move(high)};
}

/// Storage offsets of a part, element by element, with that many columns per row.
inline Places listed(std::vector<int64_t> offsets, int64_t columns) {
  return Places::of_elements([=](int64_t row, int64_t column) { return offsets.at(size_t(row * columns + column)); });
}

inline TensorFinding compare_part(const WholePart& expected, const HostTensor& tensor, const std::vector<ByteRange>& untouched = {}) {
  HostTensor output = tensor;
  output.spec.name = expected.part.tensor;
  return compare(expectation_of({expected}), {std::move(output)}, {untouched}).parts.front();
}

}  // namespace assay::testing
