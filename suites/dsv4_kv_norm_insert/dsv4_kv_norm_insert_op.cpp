#include "suites/cache_insert/cache_op.h"
#include "suites/registry.h"

namespace assay {

Op dsv4_kv_norm_insert_op() {
  return dsv4_insert_op("dsv4_kv_norm_insert", KvNorm::kBefore,
                        {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "eps", "fill",
                         "gamma", "seed", "warp"});
}

}  // namespace assay
