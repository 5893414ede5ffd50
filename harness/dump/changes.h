// What two runs of one case hold differently, element by element.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// One part of the outputs that has other codes than before.
struct PartChange {
  std::string part;  ///< its label
  const Format* format = nullptr;
  std::array<int64_t, 2> shape{};
  int64_t changed = 0;           ///< elements with another code
  int64_t most_ulps = 0;         ///< largest distance between the codes before and now, where both are numbers; 0 between zeros
  std::array<int64_t, 2> at{};   ///< row and column of the first of them
  uint32_t before = 0, now = 0;  ///< its codes

  int64_t elements() const { return shape[0] * shape[1]; }
};

/// The parts in which the outputs of two calls differ; padding is not compared. Throws std::runtime_error naming a tensor whose
/// storage has another size in the two.
std::vector<PartChange> changes(const std::vector<Part>& parts, const std::vector<HostTensor>& before,
                                const std::vector<HostTensor>& now);

}  // namespace assay
