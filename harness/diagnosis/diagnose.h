// Why a kernel's outputs are wrong: which edits of the contract reproduce them. Hypotheses are the case's mutants, one alone or
// two together; nothing here sees a library's or a kernel's name.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/bound_case.h"
#include "harness/core/sample.h"

namespace assay {

/// One mistake in a cause.
struct Mistake {
  std::string name;    ///< of the hypothesis
  std::string words;   ///< the same with what the outputs say about it
  int64_t needed = 0;  ///< failing elements that the cause would not explain without it
};

/// One hypothesis, or two together, compared with the outputs.
struct Cause {
  std::vector<Mistake> mistakes;
  int64_t failing = 0;       ///< elements that the contract does not allow
  int64_t explained = 0;     ///< of those, allowed by the hypothesis
  int64_t contradicted = 0;  ///< elements that the contract allows and the hypothesis does not

  int64_t left() const { return failing - explained + contradicted; }
  bool complete() const { return left() == 0; }
};

/// What explains the outputs, best first: least left over. Elements where a hypothesis accepts anything explain nothing.
///
/// A hypothesis counts if it explains three quarters of the failing elements of some tensor or of the rows that violate the contract as a whole, and contradicts one good element for
/// four that it explains at most: what matches by chance, or because both err in one direction, does not reach that. Two together
/// count if no hypothesis alone explains everything, and they leave at most half of what the best one leaves. Of large outputs
/// fewer pairs are tried, of very large ones none.
///
/// Only the steps of `sample` are evaluated; of a sample counts are those of the sample. Nullptr: all steps.
std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample = nullptr);

/// The causes in words for a report, at most three: "explains 12 of 12 failing elements: scale: pow2(ceil) -> pow2(floor)"; two
/// mistakes are joined by "; and", each with the elements that need it. "no known cause" if there are none.
std::vector<std::string> causes_in_words(const std::vector<Cause>& causes);

}  // namespace assay
