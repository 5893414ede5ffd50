#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/registry.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

void require_keys(const Cells& cells, const CacheCase& p) {
  if (p.numbers() != p.coded || p.record->find(PartKind::kValues) || !p.record->find(PartKind::kScales) ||
      p.coded != p.group_size)
    cells.refuse("contract", "'" + p.contract + "' does not store one scale for each key; use another op");
  // the kernel reads the number of tokens from the shape of k, so slot_mapping cannot be shorter or longer
  if (int64_t(p.slots.size()) != p.m) cells.refuse("slot_mapping", "expected one slot for each of the m tokens");
}

}  // namespace

Op indexer_k_quant_and_cache_op() {
  return cache_op(
      {.name = "indexer_k_quant_and_cache",
       .roles = {{"k", Access::kIn, "[tokens, 128]: the key of each token, one per slot"}},
       .columns = {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "fill", "seed", "warp"},
       .inputs =
           [](const CacheCase& c) {
             return std::vector<HostTensor>{token_matrix("k", c, c.numbers(), c.fill, CacheStream::kFirst)};
           },
       .takes =
           [](const Flow& first, const Record& record) {
             return &first == &cache_insert_flow() && !record.find(PartKind::kValues) && record.find(PartKind::kScales);
           },
       .require = [](const Cells& cells,
                     const ContractRow& contract) { cells.refuse_contract(not_of_flow(contract, "cache_insert")); },
       .require_case = require_keys});
}

}  // namespace assay
