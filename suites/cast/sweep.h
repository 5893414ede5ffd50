// A cast of every fp32 input: called in blocks, judged as runs.
#pragma once

#include "harness/core/op.h"
#include "harness/core/verdict.h"

namespace assay {

/// The Op::sweep of casts: false for a case that fits one problem.
bool sweep_cast(const Case& c, const SweepCalls& calls, Verdict& verdict);

}  // namespace assay
