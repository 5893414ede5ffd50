#include "reference/contracts/layouts.h"

#include <cstdio>

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
  if (bar == std::string::npos) throw table.error(row, column, "two expressions with | between them");
  return {expression(table, row, column, 0, text.substr(0, bar)), expression(table, row, column, bar + 1, text.substr(bar + 1))};
}

const Format* format(const Table& table, const TableRow& row, const std::string& column) {
  return format_cell(table, row, column);
}

/// "128x4"; empty for a layout without tiles.
void read_tile(const Table& table, const TableRow& row, Layout& layout) {
  const std::string& text = table.text(row, "tile");
  int end = 0;
  const bool read =
      std::sscanf(text.c_str(), "%dx%d%n", &layout.tile_rows, &layout.tile_columns, &end) == 2 && size_t(end) == text.size();
  if (!text.empty() && (!read || layout.tile_rows < 1 || layout.tile_columns < 1))
    throw table.error(row, "tile", "'" + text + "' is not rows x columns of a tile, such as 128x4");
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
  }
  return layouts;
}

PlacedLayout::PlacedLayout(const Layout& layout, int64_t m, int64_t g)
    : layout_(&layout), m_(m), g_(g), rows_(0), cols_(0), storage_(0) {
  rows_ = value(layout.rows);
  cols_ = value(layout.cols);
  storage_ = value(layout.storage);
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
int64_t PlacedLayout::offset(int64_t r, int64_t c) const { return value(layout_->offset, r, c); }

}  // namespace assay
