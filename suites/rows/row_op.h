// What every row-wise op has in common once its cases are checked and its tensors made.
#pragma once

#include "harness/core/op.h"
#include "suites/rows/row_case.h"

namespace assay {

/// `require` throws TableError for a case whose contract is not one of the op's; the columns are read and checked after it.
Op row_op(std::string name, std::vector<std::string> columns, std::function<void(const Case&)> require,
          std::function<Problem(const RowCase&)> problem);

}  // namespace assay
