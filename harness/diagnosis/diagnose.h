// Finds why a kernel's outputs are wrong: which mutants of the contract reproduce them, alone or in pairs. Names of libraries and
// kernels are not used.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/bound_case.h"
#include "harness/core/sample.h"

namespace assay {

/// One mutant of a cause.
struct Mistake {
  std::string name;    ///< name of the hypothesis
  std::string words;   ///< the name plus what the outputs say about it
  int64_t needed = 0;  ///< failing elements that the cause explains only with this mutant
};

/// One hypothesis, or a pair, compared with the outputs.
struct Cause {
  std::vector<Mistake> mistakes;
  int64_t failing = 0;       ///< elements that the contract rejects
  int64_t explained = 0;     ///< of those: elements that the hypothesis accepts
  int64_t contradicted = 0;  ///< elements that the contract accepts and the hypothesis rejects

  int64_t left() const { return failing - explained + contradicted; }
  bool complete() const { return left() == 0; }
};

/// Causes that explain the outputs, best first (fewest elements left over). Elements for which a hypothesis accepts anything are
/// not explained.
///
/// A hypothesis must explain three quarters of the failing elements of some tensor, or of the rows that violate a rule as a
/// whole. It may contradict at most one good element for every four that it explains. Matches by chance do not reach that. A pair
/// must leave at most half of what the best single hypothesis leaves; pairs are tried only if no single one explains everything.
/// For large outputs fewer pairs are tried, for very large ones none.
///
/// Only the steps of `sample` are evaluated, and counts refer to them. Nullptr: all steps.
std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample = nullptr);

/// The best three causes as text for a report: "explains 12 of 12 failing elements: scale: pow2(ceil) -> pow2(floor)". The two
/// mutants of a pair are joined by "; and", each with the number of elements that need it. "no known cause" if there are none.
std::vector<std::string> causes_in_words(const std::vector<Cause>& causes);

}  // namespace assay
