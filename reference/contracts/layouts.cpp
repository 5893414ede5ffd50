#include "reference/contracts/layouts.h"

#include <cstdio>
#include <stdexcept>

#include "reference/contracts/address_cell.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"

namespace assay {
namespace {

Expression expression(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text) {
  return address_cell(table, row, column, from, text, "mgrc", "m, g (rows, groups), r, c (row, group)");
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

/// Parses "128x4"; empty for a layout without tiles.
void read_tile(const Table& table, const TableRow& row, Layout& layout) {
  const std::string& text = table.text(row, "tile");
  int end = 0;
  const bool read =
      std::sscanf(text.c_str(), "%dx%d%n", &layout.tile_rows, &layout.tile_columns, &end) == 2 && size_t(end) == text.size();
  if (!text.empty() && (!read || layout.tile_rows < 1 || layout.tile_columns < 1))
    throw table.error(row, "tile", "'" + text + "': expected rows x columns of a tile, such as 128x4");
}

/// Limit on the storage of a layout for m rows of g groups; our largest tile pads 1 scale to 2,048. A layout that takes more has
/// a wrong formula and would fill the memory.
int64_t most_elements(int64_t m, int64_t g) { return (int64_t{1} << 16) + 1024 * m * g; }

/// Evaluates every formula for some extents. Overflow, division by zero and addresses outside the storage are reported for the
/// cell.
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
      for (const auto& [of, expression] : {std::pair("rows", &layout.rows), std::pair("cols", &layout.cols), std::pair("storage", &layout.storage)})
        tried(of, [&] { (void)expression->integer({{"m", m}, {"g", g}, {"r", 0}, {"c", 0}}); });
      column = "storage";
      const PlacedLayout placed(layout, m, g);
      tried("shape", [&] { (void)placed.shape(); });
      tried("strides", [&] { (void)placed.strides(); });
      column = "offset";
      for (int64_t r = 0; r < m; ++r)
        for (int64_t c = 0; c < g; ++c) (void)placed.offset(r, c);
    } catch (const std::domain_error& error) {
      throw table.error(row, column, std::string(error.what()) + ", with m = " + std::to_string(m) + ", g = " + std::to_string(g));
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
    throw std::domain_error("layout '" + layout.id + "' has " + std::to_string(rows_) + " rows, " + std::to_string(cols_) + " columns and " +
                            std::to_string(storage_) + " elements of storage; for " + std::to_string(m) + " rows of " + std::to_string(g) +
                            " groups it may have " + std::to_string(most));
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
bool PlacedLayout::holds(int64_t r, int64_t c) const {
  const int64_t at = value(layout_->offset, r, c);
  return at >= 0 && at < storage_elements();
}

int64_t PlacedLayout::offset(int64_t r, int64_t c) const {
  const int64_t at = value(layout_->offset, r, c);
  if (at < 0 || at >= storage_elements())
    throw std::domain_error("layout '" + layout_->id + "' puts scale (" + std::to_string(r) + ", " + std::to_string(c) + ") at " +
                            std::to_string(at) + ", outside its " + std::to_string(storage_elements()) + " elements");
  return at;
}

}  // namespace assay
