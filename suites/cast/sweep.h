// A cast of every fp32 input: called in blocks, compared as runs.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/core/bound_case.h"
#include "suites/cast/cast_case.h"

namespace assay {

/// Implements BoundCase::judge_sweep for casts.
void sweep_cast(const CastCase& c, const SweepCalls& calls, Verdict& verdict);

}  // namespace assay
