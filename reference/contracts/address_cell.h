// Parses cells of layout tables: formats, and address expressions in one-letter extents and coordinates.
#pragma once

#include <string>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"
#include "reference/table/table.h"

namespace assay {

/// Parses the part of a cell from character `from` on. Throws TableError at the position of an error: syntax, or a name that is
/// not in `names`, which `in_words` explains.
Expression address_cell(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text,
                        const std::string& names, const std::string& in_words);

/// Throws TableError with similar names.
const Format* format_cell(const Table& table, const TableRow& row, const std::string& column);

}  // namespace assay
