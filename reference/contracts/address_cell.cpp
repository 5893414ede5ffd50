#include "reference/contracts/address_cell.h"

#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {

Expression address_cell(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text,
                        const std::string& names, const std::string& in_words) {
  const TableCell& cell = table.cell(row, column);
  try {
    Expression result(text);
    for (const std::string& name : result.names())
      if (name.size() != 1 || names.find(name) == std::string::npos)
        throw ParseError(0, "unknown name '" + name + "'; known here: " + in_words);
    return result;
  } catch (const ParseError& error) {
    throw TableError(table.file, cell.line, cell.column + int(from + error.position), column, error.what());
  }
}

const Format* format_cell(const Table& table, const TableRow& row, const std::string& column) {
  const std::string& text = table.text(row, column);
  if (const Format* found = find_format(text)) return found;
  std::vector<std::string> known;
  for (const Format& candidate : all_formats()) known.emplace_back(candidate.name);
  throw table.error(row, column, "unknown format '" + text + "'" + did_you_mean(text, known));
}

}  // namespace assay
