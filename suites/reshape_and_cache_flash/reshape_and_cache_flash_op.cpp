#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/registry.h"
#include "suites/rows/row_case.h"

namespace assay {
namespace {

std::vector<HostTensor> inputs(const CacheCase& c) {
  const int64_t half = c.numbers() / 2;
  return {token_matrix("key", c, half, c.fill, CacheStream::kFirst),
          token_matrix("value", c, half, c.second_fill, CacheStream::kSecond)};
}

}  // namespace

Op reshape_and_cache_flash_op() {
  return cache_op(
      {.name = "reshape_and_cache_flash",
       .roles = {{"key", Access::kIn, "[m, heads * size]: K of each token, head after head; the row stride may be larger"},
                 {"value", Access::kIn, "[m, heads * size]: V of each token; its row stride may differ from that of key"},
                 {"k_scale", Access::kIn, "[1] or [heads] fp32: the scale by which K is divided"},
                 {"v_scale", Access::kIn, "[1] or [heads] fp32: the scale by which V is divided"}},
       .columns = {"contract", "x", "m", "blocks", "block_size", "gap", "slot_mapping", "row_stride", "fill", "value", "scale",
                   "seed", "warp"},
       .inputs = inputs,
       .takes = [](const Flow& first,
                   const Record& record) { return &first == &cache_insert_flow() && record.find("k") && record.find("v"); },
       .require = [](const Cells& cells,
                     const ContractRow& contract) { cells.refuse_contract(not_of_flow(contract, "cache_insert")); },
       .widths =
           [](const CacheCase& c) {
             return std::vector<int64_t>{c.numbers() / 2, c.numbers() / 2};
           }});
}

}  // namespace assay
