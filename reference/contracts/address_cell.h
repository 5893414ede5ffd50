// Cells of tables of layouts: formats, and addresses whose names are extents and coordinates of one letter.
#pragma once

#include <string>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"
#include "reference/table/table.h"

namespace assay {

/// The part of a cell that begins at character `from`. Throws TableError at the place of what is wrong: the grammar, or a name that is
/// none of the letters of `names`, which `in_words` explains.
Expression address_cell(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text,
                        const std::string& names, const std::string& in_words);

/// Throws TableError with near matches.
const Format* format_cell(const Table& table, const TableRow& row, const std::string& column);

}  // namespace assay
