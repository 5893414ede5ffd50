// What the ops that normalize and rotate heads have in common.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Roles and parameters are the op's own, besides those of the rotation.
Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters, std::vector<std::string> columns);

}  // namespace assay
