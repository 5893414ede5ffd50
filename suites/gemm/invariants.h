// Changes that must not affect the bits of a GEMM, for any algorithm: other columns, NaN in another row, the scale of another
// block, the distance of rows.
#pragma once

#include "harness/core/op.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// Calls that differ from the case's own call in one such way: columns in reverse order; a row of NaN (other numbers if the
/// format has none); one scale of a and one of b changed; gaps between rows of a, b and d. Calls that the shape does not allow
/// are left out.
std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem);

}  // namespace assay
