// rms_norm_double_quant to the harness: how a case becomes tensors, a call and an expectation.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// One norm whose result two quantizations consume, as vLLM #41825 fuses it: outputs q and scale, q2 and scale2. What one
/// consumer gets the other gets too, bit for bit.
Op rms_norm_double_quant_op();

}  // namespace assay
