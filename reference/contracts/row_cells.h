// The cells of one row while it is bound: parsed, with complaints that name their place.
#pragma once

#include <string>

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

  /// A cell of steps. Throws TableError.
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

 private:
  const ContractRow& row_;
};

}  // namespace assay
