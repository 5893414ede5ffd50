// How packed scales go wrong as bytes, though every number before was right: what reads them sees other exponents.
#pragma once

#include "harness/core/op.h"
#include "reference/flow/contract_mutants.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Hypotheses for a case whose layout packs four UE8M0 to a word; none for others. `base`: the contract, or it with a mistake.
std::vector<Hypothesis> packing_hypotheses(const RowCase& c, const Neighbour& base);

}  // namespace assay
