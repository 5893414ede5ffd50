// The parameters of a unit that bounds of its error need.
#pragma once

#include <optional>

#include "reference/dot/exact_dot.h"
#include "reference/units/unit.h"

namespace assay {

/// The model of a unit that adds products and partial results in one aligned sum; empty for units that add otherwise (a tree,
/// joined sums, groups, integers) and for unknown units. `chunk`: AccumulatorModel::chunk.
std::optional<AccumulatorModel> accumulator_model(const Unit& unit, int64_t chunk);

}  // namespace assay
