// quant_static to the harness: the scales are an input.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op quant_static_op();

}  // namespace assay
