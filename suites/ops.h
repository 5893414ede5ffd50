// Declares the function that creates each op; ops.inc is the list.
#pragma once

#include "harness/core/op.h"

namespace assay {

#define ASSAY_OP(op) Op op##_op();
#include "suites/ops.inc"
#undef ASSAY_OP

}  // namespace assay
