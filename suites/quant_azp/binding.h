// quant_azp to the harness: dynamic quantization to codes that count from a zero point.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op quant_azp_op();

}  // namespace assay
