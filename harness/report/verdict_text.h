// Common texts of all reports.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"

namespace assay {

/// "[2, 256]"
std::string shape_text(const std::array<int64_t, 2>& shape);

/// Code and value: "0xd5 = -13".
std::string code_text(const std::string& format, uint32_t code, double value);

/// Code as hex digits of the format's width: "0xd5".
std::string code_digits(const std::string& format, uint32_t code);

/// The accepted code "0xd6 = -14", or an interval "0xd6 = -14 .. 0xd5 = -13".
std::string accepted_text(const std::string& format, const Element& element);

/// "-8 ulp of e4m3fn"; for an element without a distance a text such as "should be NaN" or "differs in the sign of zero".
std::string distance_text(const std::string& format, const Element& element);

/// Direction of the errors: ", every one toward zero" or ", 7 toward zero, 2 away from zero". Empty if fewer than two are wrong.
std::string direction_text(const TensorFinding& finding);

/// "q e4m3fn: 159 of 256 codes, 0.2 % subnormal, 0 % saturated, 0 % NaN"
std::string data_text(const DataPower& data);

/// The variant that the outputs are closest to: "split-K 2; the library said split-K 3". Empty if the contract has only one.
std::string program_text(const Verdict& verdict);

/// What is wrong with a verdict, as one line: its message, or the tensors that disagree.
std::string headline(const Verdict& verdict);

/// A command to run next: "assay contracts match --op ..." if no cause is known, "assay explain ... --minimize" if the call
/// broke; empty otherwise.
std::string next_step(const Verdict& verdict);

/// The table row of a case as a place in a checkout.
struct CaseRow {
  std::string file;  ///< relative to the workspace if it lies below it; otherwise as in Verdict::origin; empty: unknown
  int64_t line = 1;
  bool in_workspace = false;
};
CaseRow row_of(const Verdict& verdict, const std::string& workspace);

/// The note and the changes of a GateFinding as one line; empty if there are none.
std::string gate_note(const GateFinding& gate);

/// The text of headline(), followed by the first known cause: "q: 12 of 30 elements outside, ...; cause: explains 12 of 12 ...".
std::string headline_with_cause(const Verdict& verdict);

// Describes which rows, columns and tiles of a tensor contain its wrong elements.

/// "rows 512..639 of 4096; columns 0..127 of 2048", then a line each for tiles of 128 x 128 and 64 x 64 elements, which GEMM
/// kernels use: how many tiles have wrong elements, and how many are completely wrong. If more than FewNumbers::kMost rows or
/// columns have wrong elements, ranges consist of whole cells of the Picture. Leaves out ranges that cover everything.
std::vector<std::string> where_lines(const TensorFinding& finding);

}  // namespace assay
