#include "reference/contracts/scale_spec.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "reference/exact/expression.h"

namespace assay {
namespace {

constexpr char kForms[] =
    "; expected a number of columns, ROWSxCOLUMNS, row, column or tensor, or GROUP+tensor for scales of two levels";

/// Parses the number in text[begin, end). Throws ParseError.
int64_t extent(std::string_view text, size_t begin, size_t end) {
  int64_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data() + begin, text.data() + end, value);
  if (error != std::errc() || stopped != text.data() + end || value <= 0) {
    const std::string part(text.substr(begin, end - begin));
    throw ParseError(begin, (part.empty() ? "a number is missing in '" + std::string(text) + "'"
                                          : "'" + part + "' is not a positive integer") +
                                kForms);
  }
  return value;
}

/// Calls f(alternative, position of the alternative in the cell).
template <class F>
void for_each_alternative(const std::string& cell, F f) {
  for (size_t begin = 0; begin <= cell.size();) {
    const size_t end = std::min(cell.find('|', begin), cell.size());
    f(cell.substr(begin, end - begin), begin);
    begin = end + 1;
  }
}

ScaleLevel level_of(std::string_view text, size_t begin, size_t end) {
  const std::string_view one = text.substr(begin, end - begin);
  if (one == "row") return {1, 0};
  if (one == "column") return {0, 1};
  if (one == "tensor") return {0, 0};
  const size_t x = one.find('x');
  if (x == std::string_view::npos) return {1, extent(text, begin, end)};
  return {extent(text, begin, begin + x), extent(text, begin + x + 1, end)};
}

/// True if each block of `inner` lies within one block of `outer`.
bool is_coarser(int64_t outer, int64_t inner) { return outer == 0 || (inner != 0 && outer % inner == 0); }

/// Whether some alternative of the cell `group` satisfies the condition.
template <class Is>
bool has_alternative(const ContractRow& row, Is is) {
  bool has = false;
  for_each_alternative(row.text("group"), [&](const std::string& one, size_t) { has = has || is(one); });
  return has;
}

}  // namespace

LevelGrid ScaleLevel::grid(int64_t m, int64_t n) const {
  LevelGrid grid{1, 1, rows, columns};
  if (rows > 0) grid.rows = (m + rows - 1) / rows;
  if (columns > 0) grid.columns = (n + columns - 1) / columns;
  return grid;
}

ScaleSpec parse_scale_spec(std::string_view text) {
  const size_t plus = std::min(text.find('+'), text.size());
  ScaleSpec spec{{level_of(text, 0, plus)}};
  if (plus == text.size()) return spec;
  const ScaleLevel outer = level_of(text, plus + 1, text.size());
  const ScaleLevel& inner = spec.block();
  if (!is_coarser(outer.rows, inner.rows) || !is_coarser(outer.columns, inner.columns) ||
      (outer.rows == inner.rows && outer.columns == inner.columns))
    throw ParseError(plus + 1, "'" + std::string(text.substr(plus + 1)) + "' must consist of several whole groups of " +
                                   std::string(text.substr(0, plus)) + kForms);
  spec.levels.push_back(outer);
  spec.levels.back().given = true;
  return spec;
}

bool spans_rows(const ContractRow& row) {
  return has_alternative(row, [](const std::string& one) { return one == "any" || parse_scale_spec(one).block().rows != 1; });
}

bool has_outer_scales(const ContractRow& row) {
  return has_alternative(row, [](const std::string& one) { return one.find('+') != std::string::npos; });
}

bool has_group(const ContractRow& row, const std::string& group) {
  return has_alternative(row, [&](const std::string& one) {
    return one == group ||
           (one == "any" && !group.empty() && group[0] >= '0' && group[0] <= '9' && group.find('+') == std::string::npos);
  });
}

bool pads_x(const ContractRow& row) {
  std::istringstream words(row.text("pad"));
  for (std::string word; words >> word;)
    if (word == "x:00") return true;
  return false;
}

void check_groups(const ContractRow& row) {
  for_each_alternative(row.text("group"), [&](const std::string& one, size_t place) {
    try {
      const bool outer = one != "any" && parse_scale_spec(one).outer();
      if (outer != has_outer_scales(row))
        throw ParseError(0, "'" + one + "' has a different number of levels than the other alternatives");
    } catch (const ParseError& error) {
      throw row.error("group", place + error.position, error.what());
    }
  });
}

}  // namespace assay
