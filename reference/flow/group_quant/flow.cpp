#include "reference/contracts/scale_spec.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/codes.h"
#include "reference/flow/group_quant/edits.h"
#include "reference/flow/group_quant/group_quant.h"

namespace assay {

std::vector<std::string> scales_taken(const ContractRow& row) {
  std::vector<std::string> inputs;
  if (row.text("amax").empty() && row.text("scale").empty()) inputs.emplace_back("scale");
  if (row.text("scale").find("(ub)") != std::string::npos) inputs.emplace_back("scale_ub");
  if (has_outer_scales(row)) inputs.emplace_back("global_scale");
  return inputs;
}

const Flow& group_quant_flow() {
  static const Flow flow{
      .name = "group_quant",
      .kind = FlowKind::kLink,
      .says = "q",
      .files = {"quant.csv", "quant_int8.csv", "quant_tile.csv", "quant_static.csv", "quant_mx.csv", "quant_transposed.csv",
                "quant_silu.csv", "quant_norm.csv"},
      .columns = {"q", "M", "amax", "scale", "mult", "code", "group", "layouts", "pad"},
      .steps = {"amax", "scale", "mult", "code"},
      .place = ChainPlace::kLast,
      .place_words = "codes end a chain: row_norm=ID > group_quant=ID",
      .bind = [](const RowCells& cells, const Format& x) -> Link { return bind_group_quant(cells, x); },
      .edits = add_group_quant_edits,
      .inputs = scales_taken,
  };
  return flow;
}

}  // namespace assay
