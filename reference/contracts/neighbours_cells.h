// Edits of one row of a contract table: the cells as tokens, and what the flow is told to do differently.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reference/contracts/bind.h"

namespace assay {

/// A step of a cell as it is written.
struct CellToken {
  std::string text;
  std::string label;     ///< its text in the row, with #2 if it is the second of that text
  bool edited = false;   ///< a mistake already
  bool rounded = false;  ///< in the row a rounding to 16 bits comes next
};

/// A row while mistakes are made in it, none of them twice at one place.
class EditedRow {
 public:
  explicit EditedRow(const ContractRow& row);

  struct Edit;
  /// Every edit that is still possible, in the order of the cells. Behind an activation scales may be made in its 16 bits; before
  /// other links the last rounding of a norm may be left out.
  std::vector<Edit> edits(const ContractTables& tables, const Format& x, bool behind_activation, bool before_others) const;
  Link bind(const Format& x) const;

 private:
  friend class EditsOfRow;
  using Cell = std::vector<CellToken>;
  ContractRow row_;
  std::map<std::string, Cell> cells_;
  std::set<std::string> settled_;  ///< columns and habits of the flow that an edit has changed as a whole
  std::vector<std::function<void(Link&)>> habits_;
};

struct EditedRow::Edit {
  std::string name;
  EditedRow row;
};

}  // namespace assay
