// What ops of GEMMs share.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// What is an op's own.
struct GemmOpParts {
  std::string name;
  bool of_blocks = false;         ///< whether it takes contracts with scales of blocks, or those with others
  std::vector<RoleSpec> scales{};  ///< scale_a, scale_b
  std::vector<std::string> columns{};
  std::set<std::string> optional_columns{};
};

Op gemm_op(GemmOpParts parts);

}  // namespace assay
