#include "reference/contracts/weights.h"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "reference/contracts/address_cell.h"
#include "reference/table/table.h"

namespace assay {
namespace {

constexpr long long kMostMultiple = 1 << 16;  ///< the largest of ours is 128

/// "16|32": of n and of k.
void read_multiples(const Table& table, const TableRow& row, WeightLayout& layout) {
  const std::string& text = table.text(row, "multiples");
  long long n = 0, k = 0;
  int end = 0;
  if (std::sscanf(text.c_str(), "%lld|%lld%n", &n, &k, &end) != 2 || size_t(end) != text.size() || n < 1 || k < 1 || n > kMostMultiple || k > kMostMultiple)
    throw table.error(row, "multiples", "'" + text + "' is not what n and k are multiples of, such as 16|32");
  layout.multiple_of_n = n, layout.multiple_of_k = k;
}

}  // namespace

std::vector<WeightLayout> load_weight_layouts(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"id", "type", "multiples", "offset", "source", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<WeightLayout> layouts;
  for (const TableRow& row : table.rows) {
    layouts.push_back({table.text(row, "id"), format_cell(table, row, "type"), 1, 1,
                       address_cell(table, row, "offset", 0, table.text(row, "offset"), "enkbrc",
                                    "e, n, k (experts, rows, columns), b, r, c (expert, row, column)"),
                       table.text(row, "source"), table.text(row, "why")});
    read_multiples(table, row, layouts.back());
    const WeightLayout& layout = layouts.back();
    try {
      for (const int64_t e : {0, 1}) (void)weight_offset(layout, {2, layout.multiple_of_n, layout.multiple_of_k}, e, 0, 0);
    } catch (const std::domain_error& error) {
      throw table.error(row, "offset", error.what());
    }
  }
  return layouts;
}

int64_t weight_offset(const WeightLayout& layout, const WeightExtents& extents, int64_t b, int64_t r, int64_t c) {
  if (extents.n % layout.multiple_of_n != 0 || extents.k % layout.multiple_of_k != 0)
    throw std::invalid_argument("layout " + layout.id + " takes n that is a multiple of " + std::to_string(layout.multiple_of_n) +
                                " and k that is one of " + std::to_string(layout.multiple_of_k));
  std::array<int64_t, 8> values{};
  for (size_t i = 0; i < layout.offset.names().size(); ++i) {
    switch (layout.offset.names()[i][0]) {
      case 'e':
        values[i] = extents.e;
        break;
      case 'n':
        values[i] = extents.n;
        break;
      case 'k':
        values[i] = extents.k;
        break;
      case 'b':
        values[i] = b;
        break;
      case 'r':
        values[i] = r;
        break;
      default:
        values[i] = c;
    }
  }
  const int64_t at = layout.offset.integer(values);
  if (at < 0 || at >= extents.e * extents.n * extents.k)
    throw std::domain_error("layout '" + layout.id + "' puts weight (" + std::to_string(b) + ", " + std::to_string(r) + ", " + std::to_string(c) +
                            ") at " + std::to_string(at) + ", outside the tensor");
  return at;
}

}  // namespace assay
