// Cells of a case. Errors name the table row and the column.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/contracts/contract_rows.h"

namespace assay {

/// Alternatives of a cell: "row|col".
std::vector<std::string> alternatives_of(const std::string& cell);

class Cells {
 public:
  explicit Cells(const Case& c) : case_(c) {}

  bool has(const std::string& column) const { return case_.parameters.contains(column); }
  const std::string& text(const std::string& column) const { return case_.text(column); }
  /// Throws TableError.
  [[noreturn]] void refuse(const std::string& column, const std::string& problem) const;
  /// Throws TableError about the contract if there is a reason.
  void refuse_contract(const std::string& why) const {
    if (!why.empty()) refuse("contract", why);
  }
  int64_t positive(const std::string& column) const;
  /// Parses "1;0;130": nonnegative, at least one positive.
  std::vector<int64_t> counts(const std::string& column) const;
  /// A nonnegative number.
  double number(const std::string& column) const;
  int warp() const;
  const ContractRow& contract() const;
  bool of_given_data() const { return case_.of_given_data; }
  /// Empty of given data: such a tensor is left to be filled.
  std::string fill_name(const std::string& column) const;
  /// 0 of given data.
  uint64_t seed() const;

 private:
  const Case& case_;
};

}  // namespace assay
