// What programs make of a case, its mistakes, and every program that might have made it.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/dot/dot_mutants.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// One answer for each program of the contract: all elements are of one of them.
Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem);

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c);

/// Programs of every unit that takes these formats, with promotions, parts of k and orders of scales, whatever the contract says:
/// named by all of it. Some add in the same way for this k: other data part them.
Expectation every_program(const GemmCase& c, const Problem& problem);

}  // namespace assay
