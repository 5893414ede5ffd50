// Where in a tensor the wrong elements lie, as a drawing.
#pragma once

#include <string>

#include "harness/core/verdict.h"

namespace assay::html {

/// A figure with the tensor's rows and columns in cells, the darker the larger the share outside, with a legend in words. Needs a
/// picture.
std::string heat_map(const TensorFinding& finding);

}  // namespace assay::html
