// A cast of every fp32 input: called in blocks, judged as runs.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/core/op.h"

namespace assay {

/// Judges a case that fits no problem: Sweep::judge of casts.
void sweep_cast(const Case& c, const SweepCalls& calls, Verdict& verdict);

}  // namespace assay
