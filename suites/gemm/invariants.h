// What the bits of a GEMM may not depend on, whatever program makes them: other columns, NaN in another row, the scale of
// another block, how far rows lie apart.
#pragma once

#include "harness/core/op.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// Calls that differ from the case's own in one such thing: columns in the opposite order; a row of NaN (of other numbers where codes
/// have none); one scale of a and one of b changed; rows of a, b and d that lie apart. Those that the shape does not admit are left out.
std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem);

}  // namespace assay
