#include "suites/cache_insert/tensors.h"
#include "suites/dsv4_kv_insert/insert_op.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"

namespace assay {

Op dsv4_kv_norm_insert_op() {
  CallbackOp op = dsv4_insert_op("dsv4_kv_norm_insert", "row_norm", {{kNormWeight, Access::kIn, "[512]: the weights of the norm before it"}},
                        {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "eps", "fill", "gamma",
                         "seed", "warp"});
  op.parameters.push_back(roles::kEps);
  return bindable(std::move(op));
}

}  // namespace assay
