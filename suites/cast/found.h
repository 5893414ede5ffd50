// Compares the codes of a kernel, as runs of inputs, with the contract and its mutants.
#pragma once

#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "suites/cast/cast_case.h"

namespace assay {

/// Disagreements as text, one run per line; at most a dozen, then the number of further ones.
std::vector<std::string> disagreements_in_words(const CastProfile& profile, const std::vector<RunDifference>& found);

/// Mutants that explain a kernel's codes for all inputs, best first. Each explains at least half of the failing inputs, and more
/// than it contradicts.
std::vector<Cause> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given);

}  // namespace assay
