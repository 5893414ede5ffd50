// What a kernel made of inputs, as runs, compared with the contract and its mutants.
#pragma once

#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "suites/cast/cast_case.h"

namespace assay {

/// Disagreements in words, one run a line, a dozen of them and then how many more there are.
std::vector<std::string> disagreements_in_words(const CastProfile& profile, const std::vector<RunDifference>& found);

/// Which mistakes explain the codes that a kernel gave to all inputs, best first: each explains half of the failing ones at
/// least, and more than it contradicts good ones.
std::vector<Cause> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given);

}  // namespace assay
