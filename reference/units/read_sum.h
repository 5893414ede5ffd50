// The cells of a row of units.csv that say how its products and c are added. Included by read.cpp and read_sum.cpp only.
#pragma once

#include <string>

#include "reference/units/words.h"

namespace assay {

inline constexpr int kWidestExponent = 1 << 10;  ///< no term reaches it

/// The format of that name in a cell. Throws TableError.
const Format* format_named(const UnitRow& row, const std::string& column, const std::string& name, size_t offset = 0);

/// Each fills in what its cell says; the cells before it, and take, are read. All throw TableError.
void read_sum(const UnitRow& row, Unit& unit);
void read_exponent(const UnitRow& row, Unit& unit);
void read_c(const UnitRow& row, Unit& unit);

}  // namespace assay
