// Finds contract rows, and reads the cells of a row with errors that name their place.
#include "reference/contracts/contract_rows.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "reference/contracts/releases.h"
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
    throw std::out_of_range("unknown contract '" + id + "': it was withdrawn, because no real code does this: " +
                            found->second.why + "; now '" + found->second.now + "'");
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
  if (recipe.reduction == Reduction::kNone) throw error(column, 0, std::string("begins with ") + allowed);
}

void RowCells::forbid_reduction(const std::string& column, const Recipe& recipe) const {
  if (recipe.reduction != Reduction::kNone) throw error(column, 0, "must not begin with a reduction: it starts from one number");
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
    throw error(column, 0, "'" + digits + "': expected a column number, from 0");
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

}  // namespace assay
