#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/registry.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

/// Elements of a token, in every model with this cache: 512 latent ones, then 64 that RoPE has rotated.
constexpr int64_t kLatent = 512, kRotated = 64;

std::vector<HostTensor> inputs(const CacheCase& c) {
  return {token_matrix("kv_c", c, kLatent, c.fill, CacheStream::kFirst),
          token_matrix("k_pe", c, kRotated, c.second_fill, CacheStream::kSecond)};
}

void require_numbers(const Cells& cells, const CacheCase& p) {
  if (p.numbers() != kLatent + kRotated)
    cells.refuse("contract", "'" + p.contract + "' stores " + std::to_string(p.numbers()) + " elements per token; expected " +
                                 std::to_string(kLatent + kRotated));
}

}  // namespace

Op concat_and_cache_mla_op() {
  return cache_op(
      {.name = "concat_and_cache_mla",
       .roles = {{"kv_c", Access::kIn, "[m, 512]: the latent of each token; the row stride may be larger"},
                 {"k_pe", Access::kIn,
                  "[m, 64]: the elements of each token after rotary embedding; the row stride may be larger"},
                 {"scale", Access::kIn, "[1] fp32: the scale, if the cache entry has none"}},
       .columns = {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "fill", "rope", "scale",
                   "seed", "warp"},
       .inputs = inputs,
       .takes = [](const Flow& first,
                   const Record& record) { return &first == &cache_insert_flow() && record.numbers() == kLatent + kRotated; },
       .require = [](const Cells& cells,
                     const ContractRow& contract) { cells.refuse_contract(not_of_flow(contract, "cache_insert")); },
       .require_case = require_numbers,
       .widths =
           [](const CacheCase&) {
             return std::vector<int64_t>{kLatent, kRotated};
           }});
}

}  // namespace assay
