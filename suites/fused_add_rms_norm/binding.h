// fused_add_rms_norm to the harness: how a case becomes tensors, a call and an expectation.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op fused_add_rms_norm_op();

}  // namespace assay
