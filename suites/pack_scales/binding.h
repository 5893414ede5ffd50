// Op pack_scales: fp32 scales moved into the layout of their consumer, four exponents to a word or one scale.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op pack_scales_op();

}  // namespace assay
