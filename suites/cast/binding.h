// Op cast: every number of x becomes a code of q.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op cast_op();

}  // namespace assay
