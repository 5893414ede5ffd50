#include <utility>

#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

// The ops dsv4_kv_insert and dsv4_kv_norm_insert, which normalizes first.

constexpr int64_t kRotated = 64;

std::vector<HostTensor> inputs(const CacheCase& c) {
  std::vector<HostTensor> tensors = {token_matrix("kv", c, c.numbers(), c.fill, CacheStream::kFirst), cos_sin_cache(c, kRotated),
                                     positions_of(c)};
  if (!c.gamma.empty()) tensors.push_back(norm_weight(c));
  return tensors;
}

}  // namespace

Op dsv4_insert_op(const char* name, KvNorm norm, std::vector<std::string> columns) {
  CacheOpParts parts{
      .name = name,
      .roles = {{"kv", Access::kIn,
                 "[m, 512]: one row per token, whose last 64 elements are rotated; the row stride may be larger"},
                roles::kCosSin,
                roles::kPositions},
      .columns = std::move(columns),
      .inputs = inputs,
      .takes = [](const Flow& first, const Record&) { return first.name == "rope"; },
      .require = [](const Cells& cells, const ContractRow& contract) { cells.refuse_contract(not_chain_of(contract, "rope")); }};
  if (norm == KvNorm::kNone) return cache_op(std::move(parts));
  parts.roles.push_back({kNormWeight, Access::kIn, "[512]: the weights of the norm that precedes the rotation"});
  parts.parameters.push_back(roles::kEps);
  parts.takes = [](const Flow& first, const Record&) { return first.name == "row_norm"; };
  parts.require = [](const Cells& cells, const ContractRow& contract) {
    cells.refuse_contract(not_chain_of(contract, "row_norm"));
  };
  return cache_op(std::move(parts));
}

Op dsv4_kv_insert_op() {
  return dsv4_insert_op("dsv4_kv_insert", KvNorm::kNone,
                        {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "max_position",
                         "fill", "seed", "warp"});
}

}  // namespace assay
