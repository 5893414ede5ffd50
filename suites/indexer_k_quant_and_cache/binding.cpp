#include "reference/flow/cache_insert/cache_record.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/cache_insert/tensors.h"
#include "suites/ops.h"
#include "suites/rows/cells.h"
#include "suites/rows/row_case.h"

namespace assay {

Op indexer_k_quant_and_cache_op() {
  CallbackOp op = cache_op("indexer_k_quant_and_cache",
                   {{"k", Access::kIn, "[tokens, 128]: the key of each token; there are as many as slots"}},
                   {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "fill", "seed", "warp"},
                   [](const CacheCase& c) { return std::vector<HostTensor>{token_matrix("k", c, c.numbers(), c.fill, 0)}; },
                   [](const Flow& first, const Record& record) {
                     return &first == &cache_insert_flow() && !record.find(PartKind::kValues) && record.find(PartKind::kScales);
                   });
  op.validate = [validate = op.validate](const Case& c) {
    require_flow(c, "cache_insert");
    const CacheCase p = read_cache_case(c);
    if (p.numbers() != p.coded || p.record->find(PartKind::kValues) || !p.record->find(PartKind::kScales) || p.coded != p.group_size)
      Cells(c).refuse("contract", "'" + p.contract + "' has no keys with one scale each");
    // The op takes the number of tokens from k.
    if (int64_t(p.slots.size()) != p.m) Cells(c).refuse("slot_mapping", "has another length than m");
    return validate(c);
  };
  return bindable(std::move(op));
}

}  // namespace assay
