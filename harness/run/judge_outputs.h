// The verdict on outputs that are there already.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/op.h"
#include "harness/core/sample.h"

namespace assay {

/// As run_case gives it: unwritten elements, comparison, violations. Returns the steps that a diagnosis should look at.
Sample judge_outputs(const BoundCase& bound, const Problem& problem, const CallResult& result, Verdict& verdict);

}  // namespace assay
