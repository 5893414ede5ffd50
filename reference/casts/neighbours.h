// Every single-step mistake of a cast: what a fault of it can be, and what a failure is held against.
#pragma once

#include <string>
#include <vector>

#include "reference/casts/profile.h"

namespace assay {

struct CastNeighbour {
  std::string name;  ///< "rounding: nearest_even -> toward_zero"
  CastProfile profile;
};

/// Mistakes that change the code of at least one input of the profile's source. `known` are all profiles: their anomalies are
/// mistakes that were made before.
std::vector<CastNeighbour> cast_neighbours(const CastProfile& profile, const std::vector<CastProfile>& known);

}  // namespace assay
