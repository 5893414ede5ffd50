#include "suites/dsv4_kv_insert/binding.h"

#include "suites/cache_insert/cache_op.h"
#include "suites/cache_insert/tensors.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

std::vector<HostTensor> inputs(const CacheCase& c) {
  return {token_matrix("kv", c, c.numbers(), c.fill, 0), cos_sin_cache(c, c.numbers() - c.coded), positions_of(c)};
}

}  // namespace

Op dsv4_kv_insert_op() {
  Op op = cache_op("dsv4_kv_insert",
                   {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "fill", "seed", "warp"}, inputs);
  op.validate = [validate = op.validate](const Case& c) {
    require_chain(c, "rope");
    return validate(c);
  };
  return op;
}

}  // namespace assay
