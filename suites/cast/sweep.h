// A cast of every fp32 input: called in blocks, judged as runs.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/core/bound_case.h"
#include "suites/cast/cast_case.h"

namespace assay {

/// Judges a case that fits no problem: BoundCase::judge_sweep of casts.
void sweep_cast(const CastCase& c, const SweepCalls& calls, Verdict& verdict);

}  // namespace assay
