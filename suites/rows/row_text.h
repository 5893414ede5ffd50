// Texts about row-wise contracts: the trace of an element, storage layouts, and the table of results for special values.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/contracts/contract_rows.h"
#include "reference/flow/row_run.h"
#include "suites/rows/row_case.h"

namespace assay {

// Trace of an element: how the contract computes it, step by step.

/// A value as text, "0.25  (0x1p-2)"; for an interval, both ends.
std::string in_words(Span span);

/// For each cell: its steps, with the interval of values after each. `group`: the element's quantization group, if any.
std::vector<std::string> trace_lines(const Trace& trace, std::optional<int64_t> group = {});

/// The trace of the output element [row, column].
std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column);

// Lines about storage layouts, for authors of plug-ins: address formulas, shapes and padding rules.

/// Lines about a scale layout. `pad` is the contract's cell. `absent_groups`: what must be stored as scales after a row's last
/// group, for contracts whose cell does not say it.
std::vector<std::string> layout_lines(const std::string& tensor, const Layout& layout, const std::string& pad,
                                      const std::string& absent_groups = {});

/// Lines about the scale layout of a case; empty if it has no scales.
std::vector<std::string> row_layout_lines(const RowCase& c);

// SPECIALS.md: what each quantization contract returns for zeros, tiny and huge numbers, -0, NaN and Inf.

/// A group of bf16 values: `x` first, then `rest` in each remaining element.
struct SpecialGroup {
  std::string name;
  std::vector<double> x;
  double rest = 0;
};

/// The groups that head the columns of special_table(), in order.
const std::vector<SpecialGroup>& special_groups();

/// What a contract returns for a group: the scale, stored in the contract's first layout, and the codes of the elements `x`.
struct SpecialAnswer {
  std::string scale;  ///< bits in hex: 8 digits for fp32, 2 for a byte; "1": the scale is an input; "?": any scale is accepted;
                      ///< "s@z": scale and zero point
  std::vector<std::string> codes;  ///< in hex; "70/71": both are accepted; "?": any code is
};
SpecialAnswer special_answer(const ContractRow& row, const SpecialGroup& group);

/// Parses "448 -1e-6 nan": the first elements of a group; the remaining ones are 0.
SpecialGroup special_group(const std::string& numbers);

/// A Markdown table with a row for each contract with group scales and a column for each group of special_groups().
std::string special_table();

}  // namespace assay
