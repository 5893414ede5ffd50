#include "suites/dsv4_kv_insert/insert_op.h"

#include "suites/cache_insert/cache_op.h"
#include "suites/cache_insert/tensors.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

std::vector<HostTensor> inputs(const CacheCase& c) {
  std::vector<HostTensor> tensors = {token_matrix("kv", c, c.numbers(), c.fill, 0), cos_sin_cache(c, c.numbers() - c.coded),
                                     positions_of(c)};
  if (!c.gamma.empty()) tensors.push_back(norm_weight(c));
  return tensors;
}

}  // namespace

CallbackOp dsv4_insert_op(const char* name, const char* first_flow, const std::vector<RoleSpec>& roles, std::vector<std::string> columns) {
  std::vector<RoleSpec> all = {{"kv", Access::kIn, "[m, 512]: the numbers of each token, of which the last 64 are rotated"},
                               roles::kCosSin, roles::kPositions};
  all.insert(all.end(), roles.begin(), roles.end());
  CallbackOp op = cache_op(name, std::move(all), std::move(columns), inputs, [first_flow](const Flow& first, const Record&) { return first.name == first_flow; });
  op.validate = [validate = op.validate, first_flow](const Case& c) {
    require_chain(c, first_flow);
    return validate(c);
  };
  return op;
}

}  // namespace assay
