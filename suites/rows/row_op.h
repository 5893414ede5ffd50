// What every row-wise op has in common once its cases are checked and its tensors made.
#pragma once

#include "harness/core/callback_op.h"
#include "suites/rows/row_case.h"

namespace assay {

/// What is an op's own.
struct RowOpParts {
  std::string name;
  std::vector<RoleSpec> roles;
  std::vector<ParameterSpec> parameters;
  std::vector<std::string> columns;
  std::set<std::string> optional_columns;
  /// Throws TableError about `contract` for a case whose contract is not one of the op's. It may look at no other cell.
  std::function<void(const Case&)> require;
  std::function<Problem(const RowCase&)> problem;
};

CallbackOp row_op(RowOpParts parts);

}  // namespace assay
