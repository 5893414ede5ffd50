#include "suites/rows/row_shrink.h"

#include <algorithm>

#include "reference/contracts/group_shape.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

ShrinkAxis number_axis(const std::string& column, int64_t now, int64_t unit) {
  return {now / unit, [column, unit](int64_t units) {
            return std::map<std::string, std::string>{{column, std::to_string(units * unit)}};
          }};
}

/// Rows of experts: so many in all, spread as they were.
ShrinkAxis tokens_axis(const Case& c, const RowCase& p) {
  return {p.m, [c, p](int64_t rows) {
            return std::map<std::string, std::string>{{"tokens", with_fewer_tokens(c, p, rows).text("tokens")}};
          }};
}

}  // namespace

Shrinking shrink_rows(const Case& c, const std::map<std::string, int64_t>& multiple_of) {
  const RowCase p = read_row_case(c);
  const GroupShape group = c.parameters.contains("group_size") ? parse_group_shape(c.text("group_size")) : GroupShape{};
  const auto multiple = multiple_of.find("n");
  const int64_t unit_of_n = group.columns > 0 ? group.columns : multiple == multiple_of.end() ? 1 : multiple->second;
  const int64_t unit_of_m = std::max<int64_t>(1, group.rows);
  Shrinking all;
  all.axes.push_back(p.tokens.empty() ? number_axis("m", p.m, unit_of_m) : tokens_axis(c, p));
  all.axes.push_back(number_axis("n", p.n, unit_of_n));
  if (group.rows == 1 && group.columns > 0)
    for (const int64_t size : {32, 64})
      if (size < group.columns)
        all.instead.push_back({{"group_size", std::to_string(size)}, {"n", std::to_string(p.n / group.columns * size)}});
  all.elements = p.m * p.n;
  return all;
}

}  // namespace assay
