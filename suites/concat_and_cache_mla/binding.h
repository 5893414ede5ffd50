// Op concat_and_cache_mla: the latent vector and the rotated key of each token into a paged cache.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op concat_and_cache_mla_op();

}  // namespace assay
