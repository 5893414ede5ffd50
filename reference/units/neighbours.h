// Single-step edits of a unit: what a tensor core, or somebody's model of one, would be with one mistake.
#pragma once

#include <string>
#include <vector>

#include "reference/units/table.h"

namespace assay {

struct UnitNeighbour {
  std::string name;  ///< "sum: align(13) -> align(12)"
  UnitRow row;       ///< with the edited cell, read
};

/// Every edit of one step that the loader takes: a number one more or one less (of `take` half and twice), a rule swapped for its
/// like, a word left out or put in. No two have the same cells; an unknown unit has none.
std::vector<UnitNeighbour> unit_neighbours(const UnitRow& row);

}  // namespace assay
