// What each quantization contract makes of zeros, tiny and huge numbers, -0, NaN and Inf.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

/// A group of bf16 numbers: these, and then `rest` in every other place.
struct SpecialGroup {
  std::string name;
  std::vector<double> x;
  double rest = 0;
};

/// Those of the table, in its order.
const std::vector<SpecialGroup>& special_groups();

/// What a contract returns for a group: the scale as it is stored, in the first of the contract's layouts, and the codes of `x`.
struct SpecialAnswer {
  std::string scale;  ///< bits in hex: 8 digits of an fp32, 2 of a byte; "1" if the scale is given; "?" if it is free; "s@z" with a zero point
  std::vector<std::string> codes;  ///< in hex, "70/71" if both are accepted, "?" if anything is
};
SpecialAnswer special_answer(const ContractRow& row, const SpecialGroup& group);

/// "448 -1e-6 nan": the first numbers of a group whose others are 0.
SpecialGroup special_group(const std::string& numbers);

/// A row for each contract with scales of groups and a column for each group, as Markdown.
std::string special_table();

}  // namespace assay
