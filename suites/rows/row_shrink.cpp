#include "suites/rows/row_shrink.h"

#include <algorithm>

namespace assay {
namespace {

ShrinkAxis number_axis(const std::string& column, int64_t now, int64_t unit) {
  return {now / unit, [column, unit](int64_t units) {
            return CellChanges{{column, std::to_string(units * unit)}};
          }};
}

/// Axis for the total number of rows of experts, in the same proportions.
ShrinkAxis tokens_axis(const RowCase& c) {
  return {c.m, [c](int64_t rows) {
            std::string counts;
            const RowCase fewer = c.with_fewer_tokens(rows);
            for (const int64_t count : fewer.groups.sizes()) counts.append(counts.empty() ? "" : ";").append(std::to_string(count));
            return CellChanges{{"tokens", counts}};
          }};
}

}  // namespace

Shrinking shrink_rows(const RowCase& c, const std::map<std::string, int64_t>& multiple_of) {
  const ScaleLevel group = c.has_scales() ? c.scales.block() : ScaleLevel{};
  const auto multiple = multiple_of.find("n");
  const int64_t unit_of_n = group.columns > 0 ? group.columns : multiple == multiple_of.end() ? 1 : multiple->second;
  const int64_t unit_of_m = std::max<int64_t>(1, group.rows);
  Shrinking all;
  all.axes.push_back(c.groups.any() ? tokens_axis(c) : number_axis("m", c.m, unit_of_m));
  all.axes.push_back(number_axis("n", c.n, unit_of_n));
  if (group.rows == 1 && group.columns > 0 && !c.scales.outer())
    for (const int64_t size : {32, 64})
      if (size < group.columns)
        all.instead.push_back({{"group_size", std::to_string(size)}, {"n", std::to_string(c.n / group.columns * size)}});
  all.elements = c.m * c.n;
  return all;
}

}  // namespace assay
