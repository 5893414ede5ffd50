// What every row-wise op has in common once its cases are checked and its tensors made.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op row_op(std::string name, std::vector<std::string> columns, std::function<Case(Case)> validate,
          std::function<Problem(const Case&)> problem);

}  // namespace assay
