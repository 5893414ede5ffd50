// Reads text files and CSV tables whose cells know their position.
#include "reference/table/table.h"

#include <csv.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>

#include "reference/table/near.h"

namespace assay {
namespace {

/// True if the path names a descriptor that this process has open.
bool names_descriptor(const std::string& path) {
  if (path == "-" || path == "/dev/stdin") return true;
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/"})
    if (path.starts_with(folder) && path.find_first_not_of("0123456789", folder.size()) == path.npos) return true;
  return false;
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

std::string read_once(const std::string& path, bool is_open) {
  const auto refuse = [&](const char* problem) { return TableError(path, 0, 0, "", problem); };
  // O_NONBLOCK: otherwise opening a named pipe would wait for a writer
  const Descriptor file{path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | (is_open ? 0 : O_NONBLOCK))};
  struct stat status {};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) throw refuse("cannot be read");
  const bool is_regular = S_ISREG(status.st_mode);
  if (!is_regular && !is_open) throw refuse("is not a regular file; to read a pipe, pass - or /dev/fd/N");
  constexpr const char* kTooLarge = "is larger than 64 MiB: this is not a file of Assay";
  if (is_regular && size_t(status.st_size) > kMostFileBytes) throw refuse(kTooLarge);
  constexpr size_t kPiece = size_t{1} << 16;
  std::string text;
  if (is_regular) text.reserve(size_t(status.st_size) + kPiece);
  for (;;) {
    const size_t had = text.size();
    text.resize(had + kPiece);
    const ssize_t got = ::read(file.number, text.data() + had, kPiece);
    text.resize(had + (got > 0 ? size_t(got) : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw refuse("cannot be read");
    if (got == 0) return text;
    if (text.size() > kMostFileBytes) throw refuse(kTooLarge);
  }
}

}  // namespace

std::string read_text(const std::string& path) {
  if (!names_descriptor(path)) return read_once(path, false);
  // A pipe can be read only once, but a table may be read twice: for its rows and for its digest.
  static std::mutex mutex;
  static std::map<std::string, std::string> kept;
  const std::lock_guard lock(mutex);
  if (const auto found = kept.find(path); found != kept.end()) return found->second;
  return kept[path] = read_once(path, true);
}

namespace {

std::string located(const std::string& file, int line, int column, const std::string& name, const std::string& problem) {
  std::string text = printable(file);
  if (line > 0) text.append(":").append(std::to_string(line));
  if (line > 0 && column > 0) text.append(":").append(std::to_string(column));
  if (!name.empty()) text.append(": ").append(printable(shortened(name)));
  return text.append(": ").append(message_text(problem));
}

// No table of this program comes near these limits: the largest ones have 31 columns, 136,000 cells and 1,500 bytes in a cell. A
// file beyond a limit is rejected before it fills the memory.
constexpr size_t kMostColumns = 1000, kMostCells = size_t{1} << 20, kMostCellBytes = size_t{64} << 10;

/// Passes the text to libcsv byte by byte, since libcsv does not report the positions of cells.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
  }
  Reader(const Reader&) = delete;
  ~Reader() { csv_free(&parser_); }

  std::vector<TableRow> read(std::string_view text) {
    for (const char byte : text) {
      if (byte == '\0') throw TableError(file_, line_, column_, "", "NUL byte");
      const bool blank = byte == ' ' || byte == '\t';
      if (!in_cell_ && byte != '\r' && byte != '\n') {
        cell_line_ = line_;
        cell_column_ = column_;
        if (!blank) in_cell_ = true;
      }
      if (csv_parse(&parser_, &byte, 1, &Reader::on_cell, &Reader::on_row, this) != 1) {
        throw TableError(file_, line_, column_, "", "misplaced quote (inside a quoted cell write \"\" for \")");
      }
      if (bad_cell_) throw *bad_cell_;
      if (row_.cells.size() > kMostColumns)
        throw TableError(file_, row_.line, 0, "",
                         "has more than " + std::to_string(kMostColumns) + " columns: not a table of Assay");
      if (cells_ > kMostCells)
        throw TableError(file_, line_, 0, "",
                         "has more than " + std::to_string(kMostCells) + " cells: this is not a table of Assay");
      if (in_cell_ && ++cell_bytes_ > kMostCellBytes)
        throw TableError(file_, cell_line_, cell_column_, "",
                         "a cell has more than " + std::to_string(kMostCellBytes) + " bytes: this is not a table of Assay");
      ++column_;
      if (byte == '\n') {
        ++line_;
        column_ = 1;
      }
      if (row_is_empty_ && !in_cell_) {  // an empty last cell gets the position of the end of its row
        cell_line_ = line_;
        cell_column_ = column_;
      }
    }
    if (csv_fini(&parser_, &Reader::on_cell, &Reader::on_row, this) != 0) {
      throw TableError(file_, cell_line_, cell_column_, "", "quote is never closed");
    }
    if (bad_cell_) throw *bad_cell_;
    return std::move(rows_);
  }

 private:
  /// Rejects cells with bytes that would control a terminal, since many commands print cells. Line breaks are allowed. libcsv is
  /// C code, so the error is thrown only after its function has returned.
  void check_printable(const TableCell& cell) {
    const std::string_view text = cell.text;
    for (size_t i = 0, length = 0; i < text.size(); i += length) {
      const bool is_plain = (text[i] >= ' ' && text[i] <= '~') || text[i] == '\n' || text[i] == '\r' || text[i] == '\t';
      length = is_plain ? 1 : printable_length(text.substr(i));
      if (length > 0) continue;
      bad_cell_.emplace(file_, cell.line, cell.column, "",
                        "holds " + byte_in_words(text[i]) + ", which is not a printable character of UTF-8");
      return;
    }
  }

  static void on_cell(void* text, size_t size, void* self) {
    Reader& reader = *static_cast<Reader*>(self);
    TableCell cell{std::string(static_cast<const char*>(text), size), reader.cell_line_, reader.cell_column_};
    if (!reader.bad_cell_) reader.check_printable(cell);
    if (reader.row_is_empty_) reader.row_.line = cell.line;
    reader.row_.cells.push_back(std::move(cell));
    ++reader.cells_;
    reader.cell_bytes_ = 0;
    reader.row_is_empty_ = false;
    reader.in_cell_ = false;
    reader.cell_line_ = reader.line_;
    reader.cell_column_ = reader.column_ + 1;  // column_ is the delimiter's column; the next cell begins after it
  }
  static void on_row(int, void* self) {
    Reader& reader = *static_cast<Reader*>(self);
    reader.rows_.push_back(std::move(reader.row_));
    reader.row_ = {};
    reader.row_is_empty_ = true;
    reader.in_cell_ = false;
  }

  std::string file_;
  csv_parser parser_{};
  std::vector<TableRow> rows_;
  TableRow row_;
  bool row_is_empty_ = true;
  bool in_cell_ = false;
  size_t cells_ = 0, cell_bytes_ = 0;
  std::optional<TableError> bad_cell_;
  int line_ = 1, column_ = 1;
  int cell_line_ = 1, cell_column_ = 1;
};

void check_header(const Table& table) {
  for (size_t i = 0; i < table.header.size(); ++i) {
    const TableCell& cell = table.header[i];
    if (cell.text.empty()) throw TableError(table.file, cell.line, cell.column, "", "column without a name");
    if (table.find_column(cell.text) != int(i)) {
      throw TableError(table.file, cell.line, cell.column, cell.text, "column appears twice");
    }
  }
}

void check_rows(const Table& table) {
  for (const TableRow& row : table.rows) {
    if (row.cells.size() != table.columns.size()) {
      throw TableError(
          table.file, row.line, row.cells.back().column, "",
          "row has " + std::to_string(row.cells.size()) + " cells, the header has " + std::to_string(table.columns.size()) +
              (row.cells.size() > table.columns.size() ? "; a cell with a comma needs quotes" : ""));
    }
    if (table.has_column("why") && table.text(row, "why").empty())
      throw table.error(row, "why", "is empty: expected the reason for this row");
  }
}

}  // namespace

TableError::TableError(std::string file, int line, int column, std::string name, std::string problem)
    : std::runtime_error(located(file, line, column, name, problem)),
      file_(std::move(file)),
      line_(line),
      column_(column),
      name_(std::move(name)),
      problem_(std::move(problem)) {}

int Table::find_column(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) return int(i);
  }
  return -1;
}

const TableCell& Table::cell(const TableRow& row, std::string_view name) const {
  const int i = find_column(name);
  if (i < 0) throw TableError(file, row.line, 0, "", "no column '" + std::string(name) + "'" + did_you_mean(name, columns));
  return row.cells.at(size_t(i));
}

int64_t Table::integer(const TableRow& row, std::string_view name) const {
  const std::string& text = cell(row, name).text;
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) throw error(row, name, "'" + text + "' is not an integer");
  return value;
}

TableError Table::error(const TableRow& row, std::string_view name, const std::string& problem) const {
  const int i = find_column(name);
  if (i < 0) return TableError(file, row.line, 0, std::string(name), problem);
  const TableCell& at = row.cells.at(size_t(i));
  return TableError(file, at.line, at.column, std::string(name), problem);
}

void Table::require_columns(std::span<const std::string> required) const {
  for (const std::string& name : required) {
    if (!has_column(name)) throw TableError(file, 1, 0, "", "column '" + name + "' is missing" + did_you_mean(name, columns));
  }
}

void Table::allow_columns(std::span<const std::string> known) const {
  for (const TableCell& cell : header) {
    const bool found = std::find(known.begin(), known.end(), cell.text) != known.end();
    if (!found) throw TableError(file, cell.line, cell.column, cell.text, "unknown column" + did_you_mean(cell.text, known));
  }
}

Table parse_table(std::string_view text, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Table table;
  table.file = file;
  table.rows = Reader(file).read(text);
  if (table.rows.empty()) throw TableError(file, 1, 0, "", "empty table: the first row must name the columns");
  table.header = std::move(table.rows.front().cells);
  table.rows.erase(table.rows.begin());
  for (const TableCell& cell : table.header) table.columns.push_back(cell.text);
  check_header(table);
  check_rows(table);
  return table;
}

Table read_table(const std::string& path) { return parse_table(read_text(path), path); }

}  // namespace assay
