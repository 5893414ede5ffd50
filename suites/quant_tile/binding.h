// quant_tile to the harness: one scale for many rows, made from all of them.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op quant_tile_op();

}  // namespace assay
