// The unit that explains the most of what an instruction returned.
#pragma once

#include <vector>

#include "harness/probe/data.h"
#include "harness/probe/parameters.h"

namespace assay {

/// What was seen, and what an instruction showed of itself (symmetry.h).
struct Seen {
  std::vector<Observation> all;
  std::vector<int> alike;
  bool c_at_the_end = false;

  /// Elements that a unit does not explain; counting ends beyond `most`. With a list of kinds only of those.
  int64_t unexplained(const Unit& unit, int64_t most, std::span<const std::string_view> kinds = {}) const;
};

struct Fit {
  Unit unit;
  int64_t unexplained = 0;
};

/// Shapes of sums that are tried, the plainest first, and of each the orders of products in which the same places are alike; then
/// orders that tell more places apart. Of each shape every parameter is decided on the inputs made for it, and then all again on
/// all inputs, as long as that explains more. The first shape that leaves nothing unexplained is taken, else the best.
Fit fit(const Instruction& instruction, const Seen& seen, uint32_t nan);

/// All parameters of a unit decided again on everything that was seen.
Fit improved(const Instruction& instruction, const Seen& seen, Fit from);

}  // namespace assay
