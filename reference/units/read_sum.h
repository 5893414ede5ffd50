// Parsers for the cells of units.csv about adding products and c. Included by read.cpp and read_sum.cpp only.
#pragma once

#include <string>

#include "reference/units/words.h"

namespace assay {

inline constexpr int kWidestExponent = 1 << 10;  ///< above the exponent of every term

/// The format named in a cell. Throws TableError.
const Format* format_named(const UnitRow& row, const std::string& column, const std::string& name, size_t offset = 0);

/// Each parses one cell into `unit`; the cells before it, and `take`, must be parsed already. All throw TableError.
void read_sum(const UnitRow& row, Unit& unit);
void read_exponent(const UnitRow& row, Unit& unit);
void read_c(const UnitRow& row, Unit& unit);

}  // namespace assay
