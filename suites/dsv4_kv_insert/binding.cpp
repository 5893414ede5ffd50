#include "suites/dsv4_kv_insert/binding.h"

#include "suites/cache_insert/cache_op.h"
#include "suites/cache_insert/tensors.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

std::vector<HostTensor> inputs(const CacheCase& c) {
  std::vector<HostTensor> tensors = {token_matrix("kv", c, c.numbers(), c.fill, 0), cos_sin_cache(c, c.numbers() - c.coded),
                                     positions_of(c)};
  if (!c.gamma.empty()) tensors.push_back(norm_weight(c));
  return tensors;
}

Op insert_op(const char* name, std::vector<std::string> columns, const char* first_flow) {
  Op op = cache_op(name, std::move(columns), inputs);
  op.validate = [validate = op.validate, first_flow](const Case& c) {
    require_chain(c, first_flow);
    return validate(c);
  };
  return op;
}

}  // namespace

Op dsv4_kv_insert_op() {
  return insert_op("dsv4_kv_insert",
                   {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "fill", "seed", "warp"}, "rope");
}

Op dsv4_kv_norm_insert_op() {
  return insert_op(
      "dsv4_kv_norm_insert",
      {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "eps", "fill", "gamma", "seed", "warp"},
      "row_norm");
}

}  // namespace assay
