// Compares a fitted model with the rows of the table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reference/units/unit_table.h"

namespace assay {

enum class CellMatch {
  kSame,
  kEqual,  ///< different text, but a search found no input that distinguishes them
  kDiffers
};

struct LikeRow {
  const UnitRow* row = nullptr;
  std::map<std::string, CellMatch> cells;  ///< for unit_step_columns()
  bool equal = false;                      ///< all cells are equal, or a search found no input that distinguishes the two
  std::vector<std::string> same_cells;     ///< ids of other rows with the same cells

  int alike() const;  ///< number of cells that are equal or make no difference
};

/// Compares a model with a row for the same operands, result and scales. Throws std::invalid_argument for other operands, or for
/// a row without a model.
LikeRow compare_with(const Unit& unit, const UnitRow& row);

/// The row with the most matching cells among those with the same operands, result, scales and k; `row` is nullptr if there is
/// none.
LikeRow nearest_row(const Unit& unit, const UnitTable& table);

/// A table row for the model, after a round trip through the loader.
UnitRow row_of(const Unit& unit, const std::string& id, const std::string& evidence, const std::string& source,
               const std::string& why);

}  // namespace assay
