// Results of each quantization contract for zeros, tiny and huge numbers, -0, NaN and Inf.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

/// A group of bf16 numbers: the listed ones first, then `rest` in all other places.
struct SpecialGroup {
  std::string name;
  std::vector<double> x;
  double rest = 0;
};

/// The groups of the table, in order.
const std::vector<SpecialGroup>& special_groups();

/// A contract's result for a group: the stored scale, in the contract's first layout, and the codes of `x`.
struct SpecialAnswer {
  std::string scale;  ///< bits in hex: 8 digits for fp32, 2 for a byte; "1" if the scale is given; "?" if it is free; "s@z" with
                      ///< a zero point
  std::vector<std::string> codes;  ///< in hex; "70/71" for an accepted interval, "?" for anything
};
SpecialAnswer special_answer(const ContractRow& row, const SpecialGroup& group);

/// Parses "448 -1e-6 nan": the leading numbers of a group; all others are 0.
SpecialGroup special_group(const std::string& numbers);

/// A Markdown table: a row for each contract with group scales, a column for each group.
std::string special_table();

}  // namespace assay
