// Differences between two runs of one case, element by element.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// A part of the outputs whose codes changed.
struct PartChange {
  std::string part;  ///< label of the part
  const Format* format = nullptr;
  std::array<int64_t, 2> shape{};
  int64_t changed = 0;           ///< elements with a different code
  int64_t most_ulps = 0;         ///< largest distance between old and new code in ulp, if both are numbers; 0 between -0 and +0
  std::array<int64_t, 2> at{};   ///< row and column of the first changed element
  uint32_t before = 0, now = 0;  ///< codes of that element

  int64_t elements() const { return shape[0] * shape[1]; }
};

/// The parts in which the outputs of two calls differ. Padding is not compared. Throws std::runtime_error naming a tensor whose
/// storage sizes differ.
std::vector<PartChange> changes(const std::vector<Part>& parts, const std::vector<HostTensor>& before,
                                const std::vector<HostTensor>& now);

}  // namespace assay
