// The cells of one row while it is bound, as its table or an edit has them, with complaints that name their place.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reference/contracts/rows.h"
#include "reference/recipe/parse.h"

namespace assay {

class RowCells {
 public:
  explicit RowCells(const ContractRow& row) : row_(row) {}

  const ContractRow& row() const { return row_; }
  const std::string& id() const { return row_.id; }
  const std::string& text(const std::string& column) const { return row_.text(column); }
  /// The error to throw about a place in a cell.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    return row_.error(column, offset, problem);
  }

  /// The steps of a cell as they are read, or as an edit has left them. Throws TableError.
  std::vector<CellStep> steps(const std::string& column) const;
  void set_steps(const std::string& column, std::vector<CellStep> steps) { edited_[column] = std::move(steps); }
  /// A cell of steps with its names looked up. Throws TableError.
  Recipe recipe(const std::string& column, const Names& names) const;
  /// A cell that begins with a reduction. Throws TableError that names the `allowed` ones.
  void require_reduction(const std::string& column, const Recipe& recipe, const char* allowed) const;
  /// A cell that takes one number. Throws TableError.
  void forbid_reduction(const std::string& column, const Recipe& recipe) const;
  /// A cell of one of two words: whether it is the first of them. Throws TableError.
  bool is_first_of(const std::string& column, const std::string& one, const std::string& other) const;
  /// A whole number, from 0. Throws TableError.
  int64_t column_number(const std::string& column) const;
  /// A format of codes. Throws TableError with near matches.
  const Format& format(const std::string& column) const;
  /// What stands between the | of a cell, empty where nothing does.
  std::vector<std::string> alternatives(const std::string& column) const;
  /// Alternatives that are formats of numbers: f32, bf16, f16. Throws TableError.
  std::vector<const Format*> formats_of_numbers(const std::string& column) const;

 private:
  const ContractRow& row_;
  std::map<std::string, std::vector<CellStep>> edited_;
};

}  // namespace assay
