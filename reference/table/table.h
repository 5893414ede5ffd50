// CSV tables whose cells know their line and column, and read_text(), the only function that reads text files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Largest text file that is read. The largest file that this program writes has 5 MB.
inline constexpr size_t kMostFileBytes = size_t{64} << 20;

/// The content of a regular file, of standard input (`-`), or of an open descriptor (`/dev/fd/N`, `/dev/stdin`, `<(...)` of a
/// shell). Rejects named pipes, devices and sockets, since reading them may never end.
///
/// Throws TableError if the file is unreadable, not regular, or larger than kMostFileBytes.
std::string read_text(const std::string& path);

/// An error at a place in a text file. what() returns `file:line:column: name: problem`, without the parts that are unknown. Text
/// quoted from the file is made printable and short (message_text()).
class TableError : public std::runtime_error {
 public:
  /// `line` and `column` count from 1 (`column` in bytes); 0: unknown. `name`: the column of the table, or empty.
  TableError(std::string file, int line, int column, std::string name, std::string problem);

  const std::string& file() const { return file_; }
  int line() const { return line_; }
  int column() const { return column_; }
  const std::string& name() const { return name_; }
  const std::string& problem() const { return problem_; }

 private:
  std::string file_;
  int line_;
  int column_;
  std::string name_;
  std::string problem_;
};

struct TableCell {
  std::string text;
  int line = 0;    ///< position of its first character
  int column = 0;  ///< 1-based, in bytes
};

struct TableRow {
  int line = 0;
  std::vector<TableCell> cells;  ///< as many as the table has columns
};

struct Table {
  std::string file;
  std::vector<std::string> columns;
  std::vector<TableCell> header;
  std::vector<TableRow> rows;

  /// Index of a column; -1 if there is none.
  int find_column(std::string_view name) const;
  bool has_column(std::string_view name) const { return find_column(name) >= 0; }

  /// The cell of a column. Throws TableError if the table has no such column.
  const TableCell& cell(const TableRow& row, std::string_view name) const;
  const std::string& text(const TableRow& row, std::string_view name) const { return cell(row, name).text; }

  /// The decimal integer in a cell. Throws TableError at the cell for anything else.
  int64_t integer(const TableRow& row, std::string_view name) const;

  /// The error to throw about a cell of this table.
  TableError error(const TableRow& row, std::string_view name, const std::string& problem) const;

  /// Throws TableError at the header if the table lacks one of these columns.
  void require_columns(std::span<const std::string> required) const;
  /// Throws TableError at the first column that is none of these, and lists similar names.
  void allow_columns(std::span<const std::string> known) const;
};

/// Reads a table. Its first row names the columns. Drops blanks around cells without quotes, and skips blank lines.
///
/// Throws TableError for: no such file, no header, unnamed or duplicate columns, a row with more or fewer cells than the header,
/// an unclosed quote, a quote inside a cell without quotes, a NUL byte, an empty cell in a column `why`, more than 1000 columns,
/// 2^20 cells or 64 KiB in one cell.
Table read_table(const std::string& path);

/// Parses text in memory as read_table() does; `file` is only used in messages.
Table parse_table(std::string_view text, const std::string& file);

}  // namespace assay
