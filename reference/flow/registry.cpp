#include "reference/flow/registry.h"

#include <algorithm>
#include <stdexcept>

#include "reference/casts/profile.h"
#include "reference/flow/cache_insert/cache_record.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/contiguity/contiguity.h"
#include "reference/flow/dot/dot.h"
#include "reference/flow/dot/unknown.h"
#include "reference/flow/gated/gated.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/launch/launch.h"
#include "reference/flow/quant_azp/quant_azp.h"
#include "reference/flow/rank_norm/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/flow/rank_squares/rank_squares.h"
#include "reference/flow/rope/rope.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/packing/packing.h"
#include "reference/table/near.h"

namespace assay {

std::span<const Flow* const> all_flows() {
  static const Flow* const all[] = {
      &quant_azp_flow(), &cache_insert_flow(), &group_quant_flow(), &row_norm_flow(), &gated_flow(),
      &rope_flow(),      &chain_flow(),        &launch_flow(),      &packing_flow(),  &cast_flow(),
      &dot_flow(),       &dot_unknown_flow(), &rank_reduce_flow(), &rank_norm_flow(), &rank_squares_flow(), &contiguity_flow(),   &shuffle_flow(),
  };
  return all;
}

const Flow& flow_named(const std::string& name) {
  std::vector<std::string> known;
  for (const Flow* flow : all_flows()) {
    if (flow->name == name) return *flow;
    known.push_back(flow->name);
  }
  throw std::out_of_range("unknown flow '" + name + "'" + did_you_mean(name, known));
}

bool takes(const ContractTables& tables, const ContractRow& row, const std::string& input) {
  for (const std::string& id : chain_of(row)) {
    const ContractRow& link = tables.find(id);
    if (!link.flow->inputs) continue;
    const std::vector<std::string> inputs = link.flow->inputs(link);
    if (std::find(inputs.begin(), inputs.end(), input) != inputs.end()) return true;
  }
  return false;
}

bool is_product(const ContractRow& row) { return row.flow->kind == FlowKind::kDot || row.flow->kind == FlowKind::kDotUnknown; }

bool is_quantization(const ContractRow& row) { return row.flow->kind == FlowKind::kLink && row.cells.contains("layouts"); }

}  // namespace assay
