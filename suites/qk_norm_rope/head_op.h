// Shared by the ops that normalize and rotate heads.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Roles and parameters besides those of the rotation.
Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters, std::vector<std::string> columns);

}  // namespace assay
