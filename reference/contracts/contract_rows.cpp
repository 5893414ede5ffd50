// Finds contract rows, and parses a row's cells; errors name file, line and column.
#include "reference/contracts/contract_rows.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {

const ContractRow* ContractTables::lookup(const std::string& id) const {
  const auto place = places_.find(id);
  return place == places_.end() ? nullptr : &rows_[place->second];
}

const ContractRow& ContractTables::find(const std::string& id) const {
  if (const ContractRow* row = lookup(id)) return *row;
  if (const auto found = retired_.find(id); found != retired_.end())
    throw std::out_of_range("unknown contract '" + id + "': it was withdrawn, because no released code computes this: " +
                            found->second.why + "; use '" + found->second.now + "'");
  std::string releases;
  for (const ContractRow& row : rows_)
    if (row.id.starts_with(id + "@")) releases += (releases.empty() ? "" : "; ") + ("'" + row.id + "' " + releases_of(row));
  if (!releases.empty()) throw std::out_of_range("unknown contract '" + id + "'; it has releases: " + releases);
  throw std::out_of_range("unknown contract '" + id + "'" + did_you_mean(id, ids()));
}

std::vector<std::string> ContractTables::ids() const {
  std::vector<std::string> ids;
  for (const ContractRow& row : rows_) ids.push_back(row.id);
  return ids;
}

std::vector<CellDifference> differing_cells(const ContractRow& one, const ContractRow& other) {
  std::set<std::string> columns;
  for (const ContractRow* row : {&one, &other})
    for (const auto& [column, cell] : row->cells) columns.insert(column);
  for (const char* informs : {"id", "why", "source", "since", "until"}) columns.erase(informs);
  const auto text_of = [](const ContractRow& row, const std::string& column) {
    const auto cell = row.cells.find(column);
    return cell == row.cells.end() ? std::string() : cell->second.text;
  };
  std::vector<CellDifference> all;
  for (const std::string& column : columns)
    if (CellDifference found{column, text_of(one, column), text_of(other, column)}; found.one != found.other)
      all.push_back(std::move(found));
  return all;
}

std::vector<CellStep> RowCells::steps(const std::string& column) const {
  if (const auto found = edited_.find(column); found != edited_.end()) return found->second;
  try {
    return read_cell(text(column));
  } catch (const ParseError& problem) {
    throw error(column, problem.position, problem.what());
  }
}

Recipe RowCells::recipe(const std::string& column, const Names& names) const {
  try {
    return resolve(steps(column), names);
  } catch (const ParseError& problem) {
    throw error(column, problem.position, problem.what());
  }
}

void RowCells::require_reduction(const std::string& column, const Recipe& recipe, const char* allowed) const {
  if (recipe.reduction == Reduction::kNone) throw error(column, 0, std::string("must begin with ") + allowed);
}

void RowCells::forbid_reduction(const std::string& column, const Recipe& recipe) const {
  if (recipe.reduction != Reduction::kNone) throw error(column, 0, "must not begin with a reduction: its input is one number");
}

bool RowCells::is_first_of(const std::string& column, const std::string& one, const std::string& other) const {
  const std::string& word = text(column);
  if (word != one && word != other) throw error(column, 0, "'" + word + "' is not one of: " + one + ", " + other);
  return word == one;
}

int64_t RowCells::column_number(const std::string& column) const {
  const std::string& digits = text(column);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size() || value < 0)
    throw error(column, 0, "'" + digits + "': expected a column number >= 0");
  return value;
}

const Format& RowCells::format(const std::string& column) const {
  if (const Format* found = find_format(text(column))) return *found;
  std::vector<std::string> known;
  for (const Format& format : all_formats()) known.emplace_back(format.name);
  throw error(column, 0, "unknown format '" + text(column) + "'" + did_you_mean(text(column), known));
}

std::vector<std::string> RowCells::alternatives(const std::string& column) const {
  const std::string& cell = text(column);
  std::vector<std::string> all;
  for (size_t at = 0; at <= cell.size();) {
    const size_t end = std::min(cell.find('|', at), cell.size());
    all.push_back(cell.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

std::vector<const Format*> RowCells::formats_of_numbers(const std::string& column) const {
  std::vector<const Format*> formats;
  for (const std::string& name : alternatives(column)) {
    const Format* format = find_format(name);
    if (!format || (!(*format == kF32) && !(*format == kBf16) && !(*format == kF16)))
      throw error(column, 0, "'" + name + "' is not one of: bf16, f16, f32");
    formats.push_back(format);
  }
  return formats;
}

// Releases: the cells `since` and `until` of a contract row.

std::vector<Period> periods_of(const ContractRow& row) {
  const auto words_of = [&](const char* column) {
    std::vector<std::string> words(1);
    const auto cell = row.cells.find(column);
    for (const char c : cell == row.cells.end() ? "" : cell->second.text)
      if (c == ';')
        words.emplace_back();
      else if (c != ' ')
        words.back() += c;
    return words;
  };
  const std::vector<std::string> since = words_of("since"), until = words_of("until");
  std::vector<Period> periods;
  for (size_t i = 0; i < std::max(since.size(), until.size()); ++i)
    periods.push_back({i < since.size() ? since[i] : "", i < until.size() ? until[i] : ""});
  return periods;
}

std::string releases_of(const ContractRow& row) {
  std::string text;
  for (const auto& [from, to] : periods_of(row)) {
    if (from.empty() && to.empty()) continue;
    if (from == "unmerged") {
      text += (text.empty() ? "" : ", ") + from;
      continue;
    }
    text += (text.empty() ? "" : ", ") + (from.empty() ? "" : "from " + from) + (from.empty() || to.empty() ? "" : " ") +
            (to.empty() ? "" : "before " + to);
  }
  return text;
}

namespace {

/// The numbers in "v0.5.10.post1" (0, 5, 10, 1) or in "2026-06-18"; empty for other words, such as "sm_89" and "unmerged".
std::vector<int64_t> numbers_of(std::string_view words) {
  if (words.starts_with("v")) words.remove_prefix(1);
  std::vector<int64_t> numbers;
  while (!words.empty()) {
    if (!numbers.empty()) words.remove_prefix(1);
    if (!numbers.empty() && words.starts_with("post")) words.remove_prefix(4);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
    const auto length = size_t(end - words.data());
    if (error != std::errc() || (length < words.size() && words[length] != '.' && words[length] != '-')) return {};
    numbers.push_back(number);
    words.remove_prefix(length);
  }
  return numbers;
}

bool is_date(const std::vector<int64_t>& numbers) { return numbers.front() >= 1900; }

enum class Order { kBefore, kNotBefore, kUnknown };

/// Whether `a` is before `b`. Unknown if only one of them is a date, or if one is neither date nor release.
Order order_of(const std::string& a, const std::string& b) {
  std::vector<int64_t> x = numbers_of(a), y = numbers_of(b);
  if (x.empty() || y.empty() || is_date(x) != is_date(y)) return Order::kUnknown;
  x.resize(std::max(x.size(), y.size())), y.resize(x.size());
  return x < y ? Order::kBefore : Order::kNotBefore;
}

}  // namespace

bool is_current(const ContractRow& row) {
  const Period last = periods_of(row).back();
  return last.to.empty() && last.from != "unmerged";
}

bool is_release(const std::string& words) { return !numbers_of(words).empty(); }

std::optional<bool> in_release(const ContractRow& row, const std::string& release) {
  bool is_unknown = false;
  for (const auto& [from, to] : periods_of(row)) {
    if (from == "unmerged") continue;
    const Order begin = from.empty() ? Order::kUnknown : order_of(release, from),
                end = to.empty() ? Order::kBefore : order_of(release, to);
    if (begin == Order::kBefore || end == Order::kNotBefore) continue;
    if (begin == Order::kNotBefore && end == Order::kBefore) return true;
    is_unknown = true;
  }
  if (is_unknown) return std::nullopt;
  return false;
}

}  // namespace assay
