// What a kernel made of inputs, as runs, held against the contract and its single-step mistakes.
#pragma once

#include <string>
#include <vector>

#include "suites/cast/cast_case.h"

namespace assay {

/// Disagreements in words, one run a line, a dozen of them and then how many more there are.
std::vector<std::string> disagreements_in_words(const CastProfile& profile, const std::vector<RunDifference>& found);

/// Which mistakes explain the codes that a kernel gave to all inputs, best first, as causes_in_words() (harness/diagnosis) says
/// it.
std::vector<std::string> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given);

}  // namespace assay
