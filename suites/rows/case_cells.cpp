#include "suites/rows/case_cells.h"

#include <algorithm>
#include <sstream>

#include "harness/fill/fill.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/rulebook.h"

namespace assay {

std::vector<std::string> alternatives_of(const std::string& cell) {
  std::vector<std::string> parts;
  std::istringstream stream(cell);
  for (std::string part; std::getline(stream, part, '|');) parts.push_back(part);
  return parts;
}

void Cells::refuse(const std::string& column, const std::string& problem) const {
  throw TableError(case_.origin.file, case_.origin.line, 0, column, problem);
}

bool Cells::wanted(const std::string& column, bool has_use, const std::string& what, bool required) const {
  const bool is_given = given(column);
  if (is_given && !has_use)
    refuse(column, "contract " + text("contract") + " has no " + what.substr(what.starts_with("a ") ? 2 : 0));
  if (!is_given && has_use && required && !of_given_data())
    refuse(column, "expected a value: contract " + text("contract") + " has " + what);
  return is_given;
}

int64_t Cells::positive(const std::string& column) const {
  const std::string& cell = text(column);
  const bool digits = !cell.empty() && cell.size() < 16 && std::all_of(cell.begin(), cell.end(), ::isdigit);
  if (!digits || std::stoll(cell) == 0) refuse(column, "'" + cell + "' is not a positive integer");
  return std::stoll(cell);
}

std::vector<int64_t> Cells::list(const std::string& column, const std::string& expected, size_t digits) const {
  std::vector<int64_t> all;
  std::istringstream cell(text(column));
  const auto is_number = [](const std::string& word, size_t most) {
    return !word.empty() && word.size() <= most && std::all_of(word.begin(), word.end(), ::isdigit);
  };
  constexpr int64_t kMostTimes = 1 << 16;
  for (std::string item; std::getline(cell, item, ';');) {
    const size_t times = item.find('*');  // "3*200" means 200 times 3
    const std::string number = item.substr(0, times), count = times == std::string::npos ? "1" : item.substr(times + 1);
    if (!is_number(number, digits) || !is_number(count, 9) || std::stoll(count) > kMostTimes)
      refuse(column, "'" + item + "' is not " + expected);
    all.insert(all.end(), size_t(std::stoll(count)), std::stoll(number));
  }
  return all;
}

std::vector<int64_t> Cells::counts(const std::string& column) const {
  std::vector<int64_t> all = list(column, "a number of rows; expected one for each expert, such as 1;0;130, or 1*300 for 300 experts of one row");
  if (all.empty()) refuse(column, "expected the number of rows of at least one expert");
  return all;
}

double Cells::number(const std::string& column) const {
  char* end = nullptr;
  const double value = std::strtod(text(column).c_str(), &end);
  if (text(column).empty() || *end != '\0' || !(value >= 0))
    refuse(column, "'" + text(column) + "' is not a number of at least 0");
  return value;
}

uint64_t Cells::seed() const { return of_given_data() ? 0 : uint64_t(positive("seed")); }

const Format& Cells::format_taken(const std::string& column, const ContractRow& row, const std::string& listed,
                                  const std::function<bool(const Format&)>& takes) const {
  const Format* const format = find_format(text(column));
  if (!format || !takes(*format))
    refuse(column, "contract " + row.id + " does not support '" + text(column) + "'; supported: " + row.text(listed));
  return *format;
}

int Cells::warp() const {
  if (of_given_data()) return 0;
  const int64_t warp = positive("warp");
  if (warp != 32 && warp != 64) refuse("warp", "'" + text("warp") + "' is not one of: 32, 64");
  return int(warp);
}

const ContractRow& Cells::contract() const {
  try {
    return rulebook().contracts.find(text("contract"));
  } catch (const std::out_of_range& error) {
    refuse("contract", error.what());
  }
}

std::string Cells::fill_name(const std::string& column) const {
  if (of_given_data()) return "";
  // Computed once: the program reads tens of thousands of cells with a generator each time it starts.
  static const std::vector<std::string> known = [] {
    std::vector<std::string> names;
    for (const FillInfo& fill : all_fills()) names.push_back(fill.name);
    return names;
  }();
  if (std::find(known.begin(), known.end(), text(column)) == known.end())
    refuse(column, "unknown fill '" + text(column) + "'" + did_you_mean(text(column), known));
  return text(column);
}

}  // namespace assay
