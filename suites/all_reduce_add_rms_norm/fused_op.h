// What ops have in common that add up ranks and norm what comes of it: they differ in what is behind the norm.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/rows/row_stages.h"

namespace assay {

/// `norm`: the stages behind the sum. `outputs`: what is stored besides the residual, and a scale that is given.
Op fused_op(std::string name, RowChain norm, std::vector<RoleSpec> outputs, std::vector<std::string> columns);

}  // namespace assay
