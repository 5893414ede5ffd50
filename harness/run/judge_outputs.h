// Computes the verdict on outputs of a finished call.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/op.h"
#include "harness/core/sample.h"

namespace assay {

/// Checks for unwritten elements, compares, and looks for violations. Returns the sample that a diagnosis should examine.
Sample judge_outputs(const BoundCase& bound, const Problem& problem, const CallResult& result, Verdict& verdict);

}  // namespace assay
