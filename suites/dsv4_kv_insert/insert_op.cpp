#include "suites/dsv4_kv_insert/insert_op.h"

#include <utility>

#include "suites/cache_insert/cache_op.h"
#include "suites/cache_insert/tensors.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

std::vector<HostTensor> inputs(const CacheCase& c) {
  std::vector<HostTensor> tensors = {token_matrix("kv", c, c.numbers(), c.fill, CacheStream::kFirst), cos_sin_cache(c, c.numbers() - c.coded),
                                     positions_of(c)};
  if (!c.gamma.empty()) tensors.push_back(norm_weight(c));
  return tensors;
}

}  // namespace

Op dsv4_insert_op(const char* name, KvNorm norm, std::vector<std::string> columns) {
  CacheOpParts parts{.name = name,
                     .roles = {{"kv", Access::kIn, "[m, 512]: one row per token; the last 64 elements are rotated"},
                               roles::kCosSin,
                               roles::kPositions},
                     .columns = std::move(columns),
                     .inputs = inputs,
                     .takes = [](const Flow& first, const Record&) { return first.name == "rope"; },
                     .require = [](const Cells& cells, const ContractRow& contract) { cells.refuse_contract(not_chain_of(contract, "rope")); }};
  if (norm == KvNorm::kNone) return cache_op(std::move(parts));
  parts.roles.push_back({kNormWeight, Access::kIn, "[512]: the weights of the norm before it"});
  parts.parameters.push_back(roles::kEps);
  parts.takes = [](const Flow& first, const Record&) { return first.name == "row_norm"; };
  parts.require = [](const Cells& cells, const ContractRow& contract) { cells.refuse_contract(not_chain_of(contract, "row_norm")); };
  return cache_op(std::move(parts));
}

}  // namespace assay
