// rms_norm_quant_static to the harness: how a case becomes tensors, a call and an expectation.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op rms_norm_quant_static_op();

}  // namespace assay
