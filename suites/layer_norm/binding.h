// Op layer_norm: a row less its mean, normalized, times gamma plus beta.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Inputs x [m, n], gamma and beta [n], of fp32 or the type of x; output y [m, n] in the type of x; parameter eps.
Op layer_norm_op();

}  // namespace assay
