// Verdicts for the tests of reports.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "harness/compare/verdict.h"
#include "harness/run/run.h"

namespace assay::testing {

Verdict verdict(Outcome outcome, const std::string& id = "quant_group/e4m3fn.m2.n256.g128.ties.s17");

/// An e4m3fn element.
Element element(std::array<int64_t, 2> at, uint32_t code, uint32_t low, uint32_t high, int64_t ulps);

/// A hand-written failure with one wrong and one right tensor; it has no picture and no mutation score.
Verdict truncating_kernel();

/// Every outcome once.
RunResult one_of_each();

/// A gate with a verdict in each state, in the order of kGateStates; `fixed` and `changed` pass.
RunResult gate_of_each_state();

/// A failure as the comparison produces it: row 3 of 5 is wrong, with picture, cause, mutation score, and an id that needs
/// escaping.
Verdict one_wrong_row();

}  // namespace assay::testing
