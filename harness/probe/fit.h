// Finds the model that explains most of an instruction's results.
#pragma once

#include <vector>

#include "harness/probe/data.h"
#include "harness/probe/parameters.h"

namespace assay {

/// Observations, and the symmetries of the instruction (symmetry.h).
struct Seen {
  std::vector<Observation> all;
  std::vector<int> alike;
  bool c_at_the_end = false;

  /// Number of elements that a model does not explain; counting stops above `most`. With a list of kinds, only inputs of these.
  int64_t unexplained(const Unit& unit, int64_t most, std::span<const std::string_view> kinds = {}) const;
};

struct Fit {
  Unit unit;
  int64_t unexplained = 0;
};

/// Tries the shapes of sums, simplest first. For each shape: the orders of k that are consistent with the observed symmetries,
/// then finer ones. Every parameter is decided on the inputs made for it, then all on all inputs, until nothing improves. Returns
/// the first shape that explains everything, otherwise the best.
Fit fit(const Instruction& instruction, const Seen& seen, uint32_t nan);

/// Decides all parameters of a model again, on all observations.
Fit improved(const Instruction& instruction, const Seen& seen, Fit from);

}  // namespace assay
