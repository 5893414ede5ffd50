#include "suites/dsv4_kv_insert/insert_op.h"
#include "suites/ops.h"

namespace assay {

Op dsv4_kv_insert_op() {
  return bindable(dsv4_insert_op("dsv4_kv_insert", "rope", {},
                        {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "fill", "seed", "warp"}));
}

}  // namespace assay
