#include "reference/contracts/records.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

#include "reference/formats/catalogue.h"
#include "reference/table/table.h"

namespace assay {
namespace {

/// A record holds the cache entry of one token; our largest has 584 bytes.
constexpr int64_t kMostRecordElements = int64_t{1} << 20;

PartKind kind_in(const Table& table, const TableRow& row) {
  static const std::map<std::string, PartKind> words = {
      {"codes", PartKind::kCodes}, {"scales", PartKind::kScales}, {"values", PartKind::kValues}, {"zeros", PartKind::kZeros}};
  const auto found = words.find(table.text(row, "holds"));
  if (found == words.end())
    throw table.error(row, "holds", "'" + table.text(row, "holds") + "' is not one of: codes, scales, values, zeros");
  return found->second;
}

Expression offset_in(const Table& table, const TableRow& row) {
  const TableCell& cell = table.cell(row, "offset");
  try {
    Expression offset(cell.text);
    for (const std::string& name : offset.names())
      if (name != "p" && name != "b" && name != "c")
        throw ParseError(0, "unknown name '" + name + "'; known here: p, b (position in the block, its size), c (element)");
    return offset;
  } catch (const ParseError& error) {
    throw TableError(table.file, cell.line, cell.column + int(error.position), "offset", error.what());
  }
}

/// Two tokens of a block must not overlap. Checks codes and values in formats of one and two bytes.
void check_overlap(const Table& table, const TableRow& last_row, const Record& record) {
  std::set<int64_t> taken;
  for (const RecordPart& part : record.parts) {
    const int64_t width = part.format_in(kE4M3Fn, kBf16).bytes();
    for (int64_t p = 0; p < 2; ++p) {
      for (int64_t c = 0; c < part.elements; ++c) {
        int64_t first = 0;
        try {
          first = part.byte(2, p, c);
        } catch (const std::domain_error& error) {
          throw table.error(last_row, "offset", "part " + part.name + ": " + error.what());
        }
        if (first < 0) throw table.error(last_row, "offset", "part " + part.name + " begins before the block");
        if (first % width != 0) throw table.error(last_row, "offset", "part " + part.name + " is not aligned to its elements");
        for (int64_t byte = first; byte < first + width; ++byte)
          if (!taken.insert(byte).second)
            throw table.error(last_row, "offset", "part " + part.name + " of record " + record.id + " overlaps another at byte " + std::to_string(byte));
      }
    }
  }
}

}  // namespace

const Format& RecordPart::format_in(const Format& q, const Format& x) const {
  return format == "q" ? q : format == "x" ? x : *find_format(format);
}

int64_t RecordPart::byte(int64_t block_size, int64_t position, int64_t element) const {
  std::array<int64_t, 3> values{};
  for (size_t i = 0; i < offset.names().size(); ++i) {
    const char name = offset.names()[i][0];
    values[i] = name == 'b' ? block_size : name == 'p' ? position : element;
  }
  return offset.integer(values);
}

const RecordPart* Record::find(const std::string& part) const {
  for (const RecordPart& one : parts)
    if (one.name == part) return &one;
  return nullptr;
}

const RecordPart* Record::find(PartKind kind) const {
  for (const RecordPart& one : parts)
    if (one.kind == kind) return &one;
  return nullptr;
}

int64_t Record::numbers() const {
  int64_t most = 0;
  for (const RecordPart& part : parts)
    if (part.kind == PartKind::kCodes || part.kind == PartKind::kValues) most = std::max(most, part.from + part.elements);
  return most;
}

int64_t Record::block_bytes(int64_t block_size, const Format& q, const Format& x) const {
  int64_t end = 0;
  for (const RecordPart& part : parts)
    for (const int64_t p : {int64_t{0}, block_size - 1})
      end = std::max(end, part.byte(block_size, p, part.elements - 1) + part.format_in(q, x).bytes());
  return end;
}

std::vector<Record> load_records(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"record", "part", "holds", "from", "elements", "format", "offset", "source", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Record> records;
  const TableRow* last = nullptr;
  for (const TableRow& row : table.rows) {
    const std::string& id = table.text(row, "record");
    if (records.empty() || records.back().id != id) {
      if (last) check_overlap(table, *last, records.back());
      for (const Record& other : records)
        if (other.id == id) throw table.error(row, "record", "the parts of '" + id + "' must be neighbouring rows");
      records.push_back({id, {}});
    }
    RecordPart part{table.text(row, "part"), kind_in(table, row), table.integer(row, "from"), table.integer(row, "elements"),
                    table.text(row, "format"), offset_in(table, row)};
    if (part.from < 0 || part.elements < 1) throw table.error(row, "elements", "a part starts at 0 or later and has at least one element");
    if (part.from > kMostRecordElements || part.elements > kMostRecordElements)
      throw table.error(row, "elements", "a part has at most " + std::to_string(kMostRecordElements) + " numbers");
    if (part.format != "q" && part.format != "x" && !find_format(part.format))
      throw table.error(row, "format", "'" + part.format + "': expected q, x or a format");
    if (records.back().find(part.name)) throw table.error(row, "part", "'" + part.name + "' is already a part of this record");
    records.back().parts.push_back(std::move(part));
    last = &row;
  }
  if (last) check_overlap(table, *last, records.back());
  return records;
}

}  // namespace assay
