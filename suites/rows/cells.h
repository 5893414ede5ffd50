// Cells of a case, with errors that name the row and the column.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/contracts/contract_rows.h"

namespace assay {

/// Parts of a cell that lists alternatives: "row|col".
std::vector<std::string> alternatives_of(const std::string& cell);

class Cells {
 public:
  explicit Cells(const Case& c) : case_(c) {}

  bool has(const std::string& column) const { return case_.parameters.contains(column); }
  const std::string& text(const std::string& column) const { return case_.text(column); }
  /// Throws TableError.
  [[noreturn]] void refuse(const std::string& column, const std::string& problem) const;
  int64_t positive(const std::string& column) const;
  /// "1;0;130": not negative, at least one of them positive.
  std::vector<int64_t> counts(const std::string& column) const;
  /// At least 0.
  double number(const std::string& column) const;
  int warp() const;
  const ContractRow& contract() const;
  std::string fill_name(const std::string& column) const;

 private:
  const Case& case_;
};

/// Whether `require` takes a contract for an op with these columns, all of whose other cells are empty. False also for a contract that
/// does not exist.
bool takes_contract(const std::string& contract, const std::vector<std::string>& columns,
                    const std::function<void(const Cells&, const ContractRow&)>& require);

}  // namespace assay
