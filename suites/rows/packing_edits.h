// Mistakes in packing scales: all numbers are right, but a reader of the packed bytes sees other exponents.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/contract_mutants.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Hypotheses for a case with a packed UE8M0x4 layout; empty for other layouts. `base`: the contract or one of its mutants.
std::vector<Hypothesis> packing_hypotheses(const RowCase& c, const Neighbour& base);

}  // namespace assay
