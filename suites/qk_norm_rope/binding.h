// Ops qk_norm_rope, which normalizes and rotates the heads of Q and K where they lie, and q_norm_rope, which does so with those
// of Q and stores them with room for more heads.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op qk_norm_rope_op();
Op q_norm_rope_op();

}  // namespace assay
