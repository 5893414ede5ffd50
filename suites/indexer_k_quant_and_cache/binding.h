// Op indexer_k_quant_and_cache: the keys of DeepSeek-V3.2's indexer into a paged cache.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op indexer_k_quant_and_cache_op();

}  // namespace assay
