#include "reference/flow/flow.h"

#include "reference/flow/row_norm/bind.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {
namespace {

std::vector<std::string> inputs(const ContractRow& row) {
  std::vector<std::string> all = {"eps"};
  if (row.text("y").find('w') != std::string::npos) all.emplace_back("gamma");
  if (!row.text("z").empty()) all.emplace_back("residual");
  if (!row.text("mean").empty()) all.emplace_back("beta");
  if (!row.text("gate").empty()) all.emplace_back("gate");
  return all;
}

}  // namespace

const Flow& row_norm_flow() {
  static const Flow flow{
      .name = "row_norm",
      .kind = FlowKind::kLink,
      .says = "sum",
      .files = {"norm.csv", "norm_add.csv", "norm_opus.csv", "norm_rope.csv", "norm_layer.csv", "norm_gated.csv"},
      .columns = {"sum", "depth", "r", "y"},
      .optional = {"z", "residual", "stored_from", "w", "mean", "gate"},
      .steps = {"gate", "mean", "r", "residual", "w", "y", "z"},
      .place = ChainPlace::kFirst,
      .place_words = "a norm comes first: row_norm=ID > group_quant=ID",
      .bind = bind_row_norm,
      .edits = add_row_norm_edits,
      .inputs = inputs,
  };
  return flow;
}

}  // namespace assay
