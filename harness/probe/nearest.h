// A unit that was found beside the rows of the table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reference/units/unit_table.h"

namespace assay {

enum class CellMatch {
  kSame,
  kEqual,  ///< another text; a search found no input on which it makes a difference here
  kDiffers
};

struct LikeRow {
  const UnitRow* row = nullptr;
  std::map<std::string, CellMatch> cells;  ///< of unit_step_columns()
  bool equal = false;                      ///< all cells are the same, or a search found no input that tells the two apart
  std::vector<std::string> same_cells;     ///< ids of other rows with this row's cells

  int alike() const;  ///< cells that are the same or make no difference
};

/// The unit's cells beside those of one row of the same factors, result and scales. Throws std::invalid_argument for a row of
/// others, or one that knows no steps.
LikeRow compare_with(const Unit& unit, const UnitRow& row);

/// The row with the most cells like the unit's, of those with the same factors, result, scales and k; row is nullptr if there is
/// none.
LikeRow nearest_row(const Unit& unit, const UnitTable& table);

/// A row for the unit, read back by the loader.
UnitRow row_of(const Unit& unit, const std::string& id, const std::string& evidence, const std::string& source,
               const std::string& why);

}  // namespace assay
