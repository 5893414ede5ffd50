// Shared by ops that fuse an all-reduce with a norm; they differ in the stages after the norm.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/rows/row_stages.h"

namespace assay {

/// `norm`: the stages after the sum. `outputs`: outputs besides the residual, and a given scale.
Op fused_op(std::string name, RowChain norm, std::vector<RoleSpec> outputs, std::vector<std::string> columns);

}  // namespace assay
