// What ops have in common that add up ranks and norm what comes of it: they differ in what is behind the norm.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// `outputs`: what is stored besides the residual, and a scale that is given. The op behind the sum follows from the name
/// (fused_case.h).
Op fused_op(std::string name, std::vector<RoleSpec> outputs, std::vector<ParameterSpec> parameters, std::vector<std::string> columns);

}  // namespace assay
