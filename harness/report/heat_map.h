// Heat map of a tensor's wrong elements.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/report/html/parts.h"

namespace assay::html {

/// A figure with cells of the tensor's rows and columns, darker for a larger share outside, and a legend. `finding` must have a
/// picture.
void heat_map(Node parent, const TensorFinding& finding);

}  // namespace assay::html
