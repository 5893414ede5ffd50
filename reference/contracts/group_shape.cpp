#include "reference/contracts/group_shape.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "reference/exact/expression.h"

namespace assay {
namespace {

constexpr char kForms[] = "; a group is a number of columns, ROWSxCOLUMNS, row, column or tensor";

/// The number between two places. Throws ParseError.
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

/// Calls f(alternative, its place in the cell).
template <class F>
void for_each_alternative(const std::string& cell, F f) {
  for (size_t begin = 0; begin <= cell.size();) {
    const size_t end = std::min(cell.find('|', begin), cell.size());
    f(cell.substr(begin, end - begin), begin);
    begin = end + 1;
  }
}

}  // namespace

GroupShape parse_group_shape(std::string_view text) {
  if (text == "row") return {1, 0};
  if (text == "column") return {0, 1};
  if (text == "tensor") return {0, 0};
  const size_t x = text.find('x');
  if (x == std::string_view::npos) return {1, extent(text, 0, text.size())};
  return {extent(text, 0, x), extent(text, x + 1, text.size())};
}

bool spans_rows(const ContractRow& row) {
  bool spans = false;
  for_each_alternative(row.text("group"), [&](const std::string& one, size_t) {
    spans = spans || one == "any" || parse_group_shape(one).rows != 1;
  });
  return spans;
}

bool has_group(const ContractRow& row, const std::string& group) {
  bool has = false;
  for_each_alternative(row.text("group"), [&](const std::string& one, size_t) {
    has = has || one == group || (one == "any" && !group.empty() && group[0] >= '0' && group[0] <= '9');
  });
  return has;
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
      if (one != "any") (void)parse_group_shape(one);
    } catch (const ParseError& error) {
      throw row.error("group", place + error.position, error.what());
    }
  });
}

}  // namespace assay
