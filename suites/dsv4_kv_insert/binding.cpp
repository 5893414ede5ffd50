#include "suites/dsv4_kv_insert/insert_op.h"
#include "suites/ops.h"

namespace assay {

Op dsv4_kv_insert_op() {
  return dsv4_insert_op("dsv4_kv_insert", KvNorm::kNone,
                        {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "fill", "seed", "warp"});
}

}  // namespace assay
