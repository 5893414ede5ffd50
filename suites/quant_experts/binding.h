// Op quant_experts: x [m, n], the rows of one expert after the other's, to codes and E8M0 bytes, each expert's in tiles of its
// own.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op quant_experts_op();

}  // namespace assay
