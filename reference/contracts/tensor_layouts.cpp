// Reads layouts.csv and records.csv; computes addresses of scales and cache records, and rows of groups.
#include "reference/contracts/tensor_layouts.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/table/table.h"

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

namespace {

Expression expression(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text) {
  return address_cell(table, row, column, from, text, "mgrc", "m (rows), g (groups), r (row), c (group)");
}

Expression whole(const Table& table, const TableRow& row, const std::string& column) {
  return expression(table, row, column, 0, table.text(row, column));
}

std::array<Expression, 2> pair(const Table& table, const TableRow& row, const std::string& column) {
  const std::string& text = table.text(row, column);
  const size_t bar = text.find('|');
  if (bar == std::string::npos) throw table.error(row, column, "expected two expressions with | between them");
  return {expression(table, row, column, 0, text.substr(0, bar)), expression(table, row, column, bar + 1, text.substr(bar + 1))};
}

const Format* format(const Table& table, const TableRow& row, const std::string& column) {
  return format_cell(table, row, column);
}

/// Parses the cell `tile`, such as "128x4"; empty for a layout without tiles.
void read_tile(const Table& table, const TableRow& row, Layout& layout) {
  const std::string& text = table.text(row, "tile");
  int end = 0;
  const bool read =
      std::sscanf(text.c_str(), "%dx%d%n", &layout.tile_rows, &layout.tile_columns, &end) == 2 && size_t(end) == text.size();
  if (!text.empty() && (!read || layout.tile_rows < 1 || layout.tile_columns < 1))
    throw table.error(row, "tile", "'" + text + "': expected rows x columns of a tile, such as 128x4");
}

/// Most scales that a layout may need for m rows of g groups. Our largest tile pads 1 scale to 2,048. A layout that needs more
/// has a wrong formula and would exhaust the memory.
int64_t most_elements(int64_t m, int64_t g) { return (int64_t{1} << 16) + 1024 * m * g; }

/// Evaluates every formula for several m and g. Reports overflow, division by zero and addresses outside the storage as errors of
/// the cell.
void try_extents(const Table& table, const TableRow& row, const Layout& layout) {
  struct Extents {
    int64_t m, g;
  };
  std::string column = "rows";
  const auto tried = [&](const char* of, auto formula) {
    column = of;
    formula();
  };
  for (const auto& [m, g] : {Extents{1, 1}, Extents{3, 5}, Extents{130, 9}}) {
    try {
      for (const auto& [of, expression] :
           {std::pair("rows", &layout.rows), std::pair("cols", &layout.cols), std::pair("storage", &layout.storage)})
        tried(of, [&] { (void)expression->integer({{"m", m}, {"g", g}, {"r", 0}, {"c", 0}}); });
      column = "storage";
      const PlacedLayout placed(layout, m, g);
      tried("shape", [&] { (void)placed.shape(); });
      tried("strides", [&] { (void)placed.strides(); });
      column = "offset";
      for (int64_t r = 0; r < m; ++r)
        for (int64_t c = 0; c < g; ++c) (void)placed.offset(r, c);
    } catch (const std::domain_error& error) {
      throw table.error(row, column,
                        std::string(error.what()) + ", with m = " + std::to_string(m) + ", g = " + std::to_string(g));
    }
  }
}

}  // namespace

std::vector<Layout> load_layouts(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"id",    "type",    "element", "rows", "cols",   "storage",
                                            "shape", "strides", "offset",  "tile", "source", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Layout> layouts;
  for (const TableRow& row : table.rows) {
    layouts.push_back({table.text(row, "id"), format(table, row, "type"), format(table, row, "element"),
                       whole(table, row, "rows"), whole(table, row, "cols"), whole(table, row, "storage"),
                       pair(table, row, "shape"), pair(table, row, "strides"), whole(table, row, "offset"), 1, 1,
                       table.text(row, "source"), table.text(row, "why")});
    read_tile(table, row, layouts.back());
    try_extents(table, row, layouts.back());
  }
  return layouts;
}

PlacedLayout::PlacedLayout(const Layout& layout, int64_t m, int64_t g)
    : layout_(&layout), m_(m), g_(g), rows_(0), cols_(0), storage_(0) {
  rows_ = value(layout.rows);
  cols_ = value(layout.cols);
  storage_ = value(layout.storage);
  const int64_t most = most_elements(m, g);
  const auto is_possible = [most](int64_t extent) { return extent >= 0 && extent <= most; };
  if (!is_possible(rows_) || !is_possible(cols_) || !is_possible(storage_) || (cols_ > 0 && rows_ > most / cols_))
    throw std::domain_error("layout '" + layout.id + "' has " + std::to_string(rows_) + " rows, " + std::to_string(cols_) +
                            " columns and " + std::to_string(storage_) + " elements of storage; for " + std::to_string(m) +
                            " rows of " + std::to_string(g) + " groups it may have " + std::to_string(most));
}

int64_t PlacedLayout::value(const Expression& expression, int64_t r, int64_t c) const {
  std::array<int64_t, 8> values{};
  for (size_t i = 0; i < expression.names().size(); ++i) {
    const char name = expression.names()[i][0];
    values[i] = name == 'm' ? m_ : name == 'g' ? g_ : name == 'r' ? r : c;
  }
  return expression.integer(values);
}

std::vector<int64_t> PlacedLayout::shape() const { return {value(layout_->shape[0]), value(layout_->shape[1])}; }
std::vector<int64_t> PlacedLayout::strides() const { return {value(layout_->strides[0]), value(layout_->strides[1])}; }
std::optional<int64_t> PlacedLayout::offset_within(int64_t r, int64_t c) const {
  const int64_t at = value(layout_->offset, r, c);
  return at >= 0 && at < storage_elements() ? std::optional(at) : std::nullopt;
}

int64_t PlacedLayout::offset(int64_t r, int64_t c) const {
  if (const std::optional<int64_t> at = offset_within(r, c)) return *at;
  throw std::domain_error("layout '" + layout_->id + "' puts scale (" + std::to_string(r) + ", " + std::to_string(c) + ") at " +
                          std::to_string(value(layout_->offset, r, c)) + ", outside its " + std::to_string(storage_elements()) +
                          " elements");
}

namespace {

/// Most elements of a record (the cache entry of one token). The largest record in records.csv has 2048 elements.
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
        throw ParseError(
            0, "unknown name '" + name + "'; known here: p (position in the block), b (size of the block), c (element)");
    return offset;
  } catch (const ParseError& error) {
    throw TableError(table.file, cell.line, cell.column + int(error.position), "offset", error.what());
  }
}

/// The parts of two neighbouring tokens must not overlap. Checked with q as a one-byte and x as a two-byte format.
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
        if (first % width != 0)
          throw table.error(last_row, "offset",
                            "part " + part.name + " begins at byte " + std::to_string(first) +
                                ", which is not a multiple of its element size " + std::to_string(width));
        for (int64_t byte = first; byte < first + width; ++byte)
          if (!taken.insert(byte).second)
            throw table.error(
                last_row, "offset",
                "part " + part.name + " of record " + record.id + " overlaps another part at byte " + std::to_string(byte));
      }
    }
  }
}

}  // namespace

const Format& RecordPart::format_in(const Format& q, const Format& x) const {
  return format == "q" ? q : format == "x" ? x : *find_format(format);
}

namespace {

int64_t evaluated_byte(const RecordPart& part, int64_t block_size, int64_t position, int64_t element) {
  std::array<int64_t, 3> values{};
  for (size_t i = 0; i < part.offset.names().size(); ++i) {
    const char name = part.offset.names()[i][0];
    values[i] = name == 'b' ? block_size : name == 'p' ? position : element;
  }
  return part.offset.integer(values);
}

}  // namespace

class KnownOffsets {
 public:
  using Bytes = std::shared_ptr<const std::vector<int64_t>>;

  Bytes of(const RecordPart& part, int64_t block_size, int64_t position) {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kMost) known_.clear();
    Bytes& known = known_[{block_size, position}];
    if (known) return known;
    auto bytes = std::make_shared<std::vector<int64_t>>(size_t(part.elements));
    for (int64_t e = 0; e < part.elements; ++e) (*bytes)[size_t(e)] = evaluated_byte(part, block_size, position, e);
    return known = std::move(bytes);
  }

 private:
  static constexpr size_t kMost = 256;  ///< cached positions; a block of a quick case has fewer
  std::map<std::pair<int64_t, int64_t>, Bytes> known_;
  std::mutex mutex_;
};

std::shared_ptr<KnownOffsets> make_known_offsets() { return std::make_shared<KnownOffsets>(); }

int64_t RecordPart::byte(int64_t block_size, int64_t position, int64_t element) const {
  struct Last {
    std::shared_ptr<KnownOffsets> of;
    int64_t block_size = 0, position = 0;
    KnownOffsets::Bytes bytes;
  };
  thread_local Last last;
  if (element < 0 || element >= elements) return evaluated_byte(*this, block_size, position, element);
  if (last.of != known || last.block_size != block_size || last.position != position)
    last = {known, block_size, position, known->of(*this, block_size, position)};
  return (*last.bytes)[size_t(element)];
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
      end = std::max(end, evaluated_byte(part, block_size, p, part.elements - 1) + part.format_in(q, x).bytes());
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
    if (part.from < 0 || part.elements < 1)
      throw table.error(row, "elements", "a part must begin at an index >= 0 and have at least one element");
    if (part.from > kMostRecordElements || part.elements > kMostRecordElements)
      throw table.error(row, "elements", "from and elements must not exceed " + std::to_string(kMostRecordElements));
    if (part.format != "q" && part.format != "x" && !find_format(part.format))
      throw table.error(row, "format", "'" + part.format + "': expected q, x or a format");
    if (records.back().find(part.name)) throw table.error(row, "part", "'" + part.name + "' is already a part of this record");
    records.back().parts.push_back(std::move(part));
    last = &row;
  }
  if (last) check_overlap(table, *last, records.back());
  return records;
}

const char* name(GroupOrder order) {
  constexpr const char* kNames[] = {"contiguous", "masked", "offsets", "by index", "psum", "along k"};
  return kNames[size_t(order)];
}

Groups Groups::contiguous(std::vector<int64_t> sizes) {
  Groups groups;
  groups.stored_rows_ = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  groups.sizes_ = std::move(sizes);
  return groups;
}

Groups Groups::uniform(int64_t count, int64_t size) { return contiguous(std::vector<int64_t>(size_t(count), size)); }

Groups Groups::masked(std::vector<int64_t> sizes, int64_t capacity) {
  for (const int64_t size : sizes)
    if (size > capacity)
      throw std::invalid_argument("a group of " + std::to_string(size) + " rows exceeds the capacity " +
                                  std::to_string(capacity));
  Groups groups;
  groups.order_ = GroupOrder::kMasked;
  groups.capacity_ = capacity;
  groups.stored_rows_ = capacity * int64_t(sizes.size());
  groups.sizes_ = std::move(sizes);
  return groups;
}

Groups Groups::at_offsets(std::vector<int64_t> sizes, std::vector<int64_t> offsets) {
  if (offsets.size() != sizes.size() + 1)
    throw std::invalid_argument("expected an offset for each group, followed by the number of rows");
  for (size_t g = 0; g < sizes.size(); ++g)
    if (offsets[g] < 0 || offsets[g] + sizes[g] > offsets[g + 1])
      throw std::invalid_argument("group " + std::to_string(g) + " of " + std::to_string(sizes[g]) +
                                  " rows does not fit between offsets " + std::to_string(offsets[g]) + " and " +
                                  std::to_string(offsets[g + 1]));
  Groups groups;
  groups.order_ = GroupOrder::kOffsets;
  groups.stored_rows_ = offsets.back();
  groups.sizes_ = std::move(sizes);
  groups.offsets_ = std::move(offsets);
  return groups;
}

Groups Groups::by_index(std::vector<int64_t> index, int64_t count) {
  Groups groups;
  groups.order_ = GroupOrder::kByIndex;
  groups.sizes_.assign(size_t(count), 0);
  for (const int64_t group : index) {
    if (group < -1 || group >= count)
      throw std::invalid_argument("expected a group below " + std::to_string(count) + " or -1, got " + std::to_string(group));
    if (group >= 0) ++groups.sizes_[size_t(group)];
  }
  groups.stored_rows_ = int64_t(index.size());
  for (int64_t row = 0; row < int64_t(index.size()); ++row)
    if (index[size_t(row)] >= 0) groups.used_.push_back(row);
  std::stable_sort(groups.used_.begin(), groups.used_.end(),
                   [&](int64_t a, int64_t b) { return index[size_t(a)] < index[size_t(b)]; });
  groups.index_ = std::move(index);
  return groups;
}

Groups Groups::psum(std::vector<int64_t> sizes, int64_t tile, int64_t room) {
  std::vector<int64_t> offsets = {0};
  for (const int64_t size : sizes) offsets.push_back(offsets.back() + (size + tile - 1) / tile * tile);
  if (room > 0 && room < offsets.back())
    throw std::invalid_argument(std::to_string(offsets.back()) + " rows exceed the room " + std::to_string(room));
  offsets.back() = std::max(offsets.back(), room);
  Groups groups = at_offsets(std::move(sizes), std::move(offsets));
  groups.order_ = GroupOrder::kPsum;
  groups.capacity_ = tile;
  return groups;
}

Groups Groups::along_k(int64_t count, int64_t rows) {
  Groups groups = uniform(count, rows);
  groups.order_ = GroupOrder::kAlongK;
  groups.capacity_ = rows;
  return groups;
}

int64_t Groups::rows() const { return std::accumulate(sizes_.begin(), sizes_.end(), int64_t{0}); }

int64_t Groups::group_of(int64_t row) const {
  int64_t group = 0;
  for (; group < count() && row >= sizes_[size_t(group)]; ++group) row -= sizes_[size_t(group)];
  return group;
}

int64_t Groups::row_in_group(int64_t row) const {
  for (int64_t group = 0; group < count() && row >= sizes_[size_t(group)]; ++group) row -= sizes_[size_t(group)];
  return row;
}

int64_t Groups::stored_row(int64_t row) const {
  if (order_ == GroupOrder::kContiguous || order_ == GroupOrder::kAlongK) return row;
  if (order_ == GroupOrder::kByIndex) return used_.at(size_t(row));
  const int64_t group = group_of(row), in_group = row_in_group(row);
  return (order_ == GroupOrder::kMasked ? group * capacity_ : offsets_[size_t(group)]) + in_group;
}

std::vector<int64_t> Groups::first_rows() const {
  std::vector<int64_t> first = {0};
  for (const int64_t size : sizes_) first.push_back(first.back() + size);
  return first;
}

std::vector<int64_t> Groups::offsets() const {
  if (!offsets_.empty()) return offsets_;
  if (order_ == GroupOrder::kByIndex) throw std::logic_error("a group whose rows are listed by index has no first row");
  std::vector<int64_t> begins = first_rows();
  if (order_ == GroupOrder::kMasked)
    for (size_t g = 0; g < begins.size(); ++g) begins[g] = int64_t(g) * capacity_;
  return begins;
}

std::vector<int64_t> Groups::index() const {
  if (order_ == GroupOrder::kByIndex) return index_;
  std::vector<int64_t> index(size_t(stored_rows_), -1);
  const std::vector<int64_t> begins = offsets();
  for (size_t g = 0; g < sizes_.size(); ++g)
    std::fill_n(index.begin() + begins[g], sizes_[g], int64_t(g));
  return index;
}

void Groups::for_each_unused(const std::function<void(int64_t)>& visit) const {
  if (order_ == GroupOrder::kContiguous || order_ == GroupOrder::kAlongK) return;
  const std::vector<int64_t> groups = index();
  for (size_t row = 0; row < groups.size(); ++row)
    if (groups[row] < 0) visit(int64_t(row));
}

Groups Groups::with_sizes(std::vector<int64_t> sizes) const {
  if (order_ == GroupOrder::kMasked) return masked(std::move(sizes), capacity_);
  if (order_ == GroupOrder::kOffsets) return at_offsets(std::move(sizes), offsets_);
  if (order_ == GroupOrder::kContiguous) return contiguous(std::move(sizes));
  if (order_ == GroupOrder::kPsum) return psum(std::move(sizes), capacity_, 0);
  if (order_ == GroupOrder::kAlongK) return along_k(count(), *std::max_element(sizes.begin(), sizes.end()));
  std::vector<int64_t> index = index_, seen(sizes.size(), 0);
  for (int64_t& group : index)
    if (group >= 0 && seen[size_t(group)]++ >= sizes[size_t(group)]) group = -1;
  return by_index(std::move(index), count());
}

}  // namespace assay
