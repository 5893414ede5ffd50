// The cells of a row while it is bound, from its table or from an edit; errors name their position.
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
  /// Creates the error for a position in a cell.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    return row_.error(column, offset, problem);
  }

  /// The parsed or edited steps of a cell. Throws TableError.
  std::vector<CellStep> steps(const std::string& column) const;
  void set_steps(const std::string& column, std::vector<CellStep> steps) { edited_[column] = std::move(steps); }
  /// A cell of steps with resolved names. Throws TableError.
  Recipe recipe(const std::string& column, const Names& names) const;
  /// Requires that a cell begins with a reduction. Throws TableError listing the `allowed` ones.
  void require_reduction(const std::string& column, const Recipe& recipe, const char* allowed) const;
  /// Requires that a cell takes a single number. Throws TableError.
  void forbid_reduction(const std::string& column, const Recipe& recipe) const;
  /// For a cell with one of two words: whether it is the first. Throws TableError.
  bool is_first_of(const std::string& column, const std::string& one, const std::string& other) const;
  /// A nonnegative integer. Throws TableError.
  int64_t column_number(const std::string& column) const;
  /// A format of codes. Throws TableError with similar names.
  const Format& format(const std::string& column) const;
  /// The alternatives of a cell, separated by |; empty for an empty cell.
  std::vector<std::string> alternatives(const std::string& column) const;
  /// Alternatives that are input formats: f32, bf16, f16. Throws TableError.
  std::vector<const Format*> formats_of_numbers(const std::string& column) const;

 private:
  const ContractRow& row_;
  std::map<std::string, std::vector<CellStep>> edited_;
};

}  // namespace assay
