// Single edits of a unit: the unit, or a model of it, with one mistake.
#pragma once

#include <string>
#include <vector>

#include "reference/units/table.h"

namespace assay {

struct UnitNeighbour {
  std::string name;  ///< for example "sum: align(13) -> align(12)"
  UnitRow row;       ///< the row with the edited cell, parsed
};

/// Every edit of one step that the loader accepts: a number plus or minus one (`take`: half and double), a rule replaced by a
/// similar one, a word removed or added. No two edits have the same cells; an unknown unit has none.
std::vector<UnitNeighbour> unit_neighbours(const UnitRow& row);

}  // namespace assay
