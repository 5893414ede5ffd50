// The accepted outputs of a GEMM case, its mutants, and all known algorithm variants.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/dot/dot_mutants.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// One answer per algorithm variant of the contract; one variant must explain the whole tensor.
Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem);

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c);

/// All variants of every instruction with these formats: promotion intervals, split-K counts and orders of scales, independent of
/// the contract. Names contain all of these. Some variants add identically for this k; only other data distinguish them.
Expectation every_program(const GemmCase& c, const Problem& problem);

}  // namespace assay
