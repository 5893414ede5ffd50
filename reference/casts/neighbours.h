// Every mutant of a cast: what a fault of it can be, and what a failure is compared with.
#pragma once

#include <string>
#include <vector>

#include "reference/casts/profile.h"
#include "reference/casts/runs.h"

namespace assay {

struct CastNeighbour {
  std::string name;  ///< "rounding: nearest_even -> toward_zero"
  CastProfile profile;        ///< with one cell edited, or one step more
  std::vector<CodeRun> runs;  ///< what becomes of all inputs
};

/// Mistakes that change the code of at least one input of the profile's source. `known` are all profiles: their anomalies are
/// mistakes that were made before.
std::vector<CastNeighbour> cast_neighbours(const CastProfile& profile, const std::vector<CastProfile>& known);

}  // namespace assay
