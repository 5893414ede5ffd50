// Why a kernel's outputs are wrong: which single-step edits of the contract reproduce them. Hypotheses are the op's neighbours;
// nothing here sees a library's or a kernel's name.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "harness/core/verdict.h"

namespace assay {

/// One hypothesis held against the outputs.
struct Cause {
  std::string hypothesis;
  int64_t failing = 0;       ///< elements that the contract does not allow
  int64_t explained = 0;     ///< of those, allowed by the hypothesis
  int64_t contradicted = 0;  ///< elements that the contract allows and the hypothesis does not

  double share() const { return failing == 0 ? 0 : double(explained) / double(failing); }
  bool complete() const { return explained == failing && contradicted == 0; }
};

/// Hypotheses that explain more failing elements than they contradict, best first: complete ones, then by explained minus
/// contradicted.
std::vector<Cause> diagnose(const Op& op, const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs);

/// The causes in words for a report, at most three: "explains 12 of 12: scale: pow2(ceil) -> pow2(floor)"; "no known cause" if
/// none.
std::vector<std::string> causes_in_words(const std::vector<Cause>& causes);

}  // namespace assay
