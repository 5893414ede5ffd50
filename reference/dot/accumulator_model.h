// What a bound of a tensor core's error needs to know of it, from its row.
#pragma once

#include <optional>

#include "reference/dot/exact_dot.h"
#include "reference/units/unit.h"

namespace assay {

/// The unit as it adds products and partial results in one aligned sum; nothing for one that adds them otherwise (a tree, sums
/// that are joined, groups, integers) or of which nothing is known. `chunk`: AccumulatorModel::chunk.
std::optional<AccumulatorModel> accumulator_model(const Unit& unit, int64_t chunk);

}  // namespace assay
