// Mutants of a cast, for mutation analysis and diagnosis.
#pragma once

#include <string>
#include <vector>

#include "reference/casts/profile.h"
#include "reference/casts/runs.h"

namespace assay {

struct CastNeighbour {
  std::string name;  ///< "rounding: nearest_even -> toward_zero"
  CastProfile profile;        ///< with one cell edited, or one additional step
  std::vector<CodeRun> runs;  ///< the result for all inputs
};

/// Mutants that change the code of at least one input of the source format. `known`: all casts, whose anomalies are plausible
/// mistakes.
std::vector<CastNeighbour> cast_neighbours(const CastProfile& profile, const std::vector<CastProfile>& known);

}  // namespace assay
