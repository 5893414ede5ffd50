// Shared by all GEMM ops.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// The parts that differ between ops.
struct GemmOpParts {
  std::string name;
  bool of_blocks = false;         ///< whether it takes contracts with block scales, or those with other scales
  std::vector<RoleSpec> scales{};  ///< scale_a, scale_b
  std::vector<std::string> columns{};
  std::set<std::string> optional_columns{};
};

Op gemm_op(GemmOpParts parts);

}  // namespace assay
