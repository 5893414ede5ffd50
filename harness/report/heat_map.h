// Where in a tensor the wrong elements lie, as a drawing.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/report/html/parts.h"

namespace assay::html {

/// A figure with the tensor's rows and columns in cells, the darker the larger the share outside, with a legend in words. Needs a
/// picture.
void heat_map(Node parent, const TensorFinding& finding);

}  // namespace assay::html
