// Regularities of wrong outputs that need no knowledge of the op: a constant factor, shifted rows, another order, what the tensor
// held before the call. They name mistakes that are no change of a contract's formula.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/case.h"

namespace assay {

/// A rule that gives the wrong elements of one output from the right ones.
struct Regularity {
  std::string part;       ///< label of the output
  std::string words;      ///< "4 times the expected values"
  int64_t failing = 0;    ///< elements of that output outside their accepted set, without those that are left out
  int64_t explained = 0;  ///< of those: elements that have the value that the rule gives
  int64_t left_out = 0;   ///< wrong elements for which the rule gives no value: padding of packed words stands there
  bool decides = false;   ///< the tensor holds another type of data: no other explanation of any output means anything
  bool is_fact = false;   ///< says what the wrong elements have in common, but does not give their values (facts.cpp)
  std::string note = {};  ///< follows the counts: "; the other 975 are right"
  std::string input = {};  ///< "x has NaN": the wrong elements are exactly those that depend on such inputs

  bool complete() const { return explained == failing; }
};

/// At most one rule for each output that has elements outside, in the order of the outputs, and facts about it: what the inputs
/// of wrong elements have in common, and if no rule gives all wrong elements, NaN and rows of other data. A rule must give at
/// least three quarters of the wrong elements, and at least four unless it speaks of zeros. Where the wrong elements hold few
/// codes, a rule about places must also hold for the right elements. If the contract has several variants, the one with the most
/// explained elements counts. Outputs that cost too much to compute a second time (more than 2^24 elements or 2^30
/// multiply-accumulates) have no rule.
std::vector<Regularity> regularities(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs);

/// "pattern: d holds 4 times the expected values (512 of 512 wrong elements)".
std::string in_words(const Regularity& found);

}  // namespace assay
