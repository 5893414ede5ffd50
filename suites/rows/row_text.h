// What is printed about row-wise contracts: the trace of an element, storage layouts, and results for special values.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/contracts/contract_rows.h"
#include "reference/flow/row_run.h"
#include "suites/rows/row_case.h"

namespace assay {

// Trace of a row-wise contract: the evaluation of one element.

/// "0.25  (0x1p-2)", or both ends of an interval.
std::string in_words(Span span);

/// Every cell with each of its steps and the interval after it. `group`: the element's group, if there are groups.
std::vector<std::string> trace_lines(const Trace& trace, std::optional<int64_t> group = {});

/// The evaluation of the element at `row`, `column`, step by step.
std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column);

// Describes storage layouts for authors of plug-ins: address formulas, shapes and padding rules.

/// A scale layout; `pad` is the contract's cell. `absent_groups`: what scales beyond a row's last group must be, if the cell does
/// not say it.
std::vector<std::string> layout_lines(const std::string& tensor, const Layout& layout, const std::string& pad,
                                      const std::string& absent_groups = {});

/// The scale layout of a case; empty if it has no scales.
std::vector<std::string> row_layout_lines(const RowCase& c);

// Results of each quantization contract for zeros, tiny and huge numbers, -0, NaN and Inf.

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
