// Error: a dump lacks a tensor.
#pragma once

#include <string>

#include "harness/text/error.h"

namespace assay {

/// No tensor of a dump has the role. The code that read the files adds which tensors there are.
struct MissingRole : UsageError {
  explicit MissingRole(const std::string& name) : UsageError("no tensor for role '" + name + "'"), role(name) {}

  std::string role;
};

}  // namespace assay
