#include "reference/flow/flow.h"
#include "reference/packing/packing.h"

namespace assay {

const Flow& packing_flow() {
  static const Flow flow{
      .name = "pack",
      .kind = FlowKind::kPacking,
      .says = "word",
      .files = {"quant_pack.csv"},
      .columns = {"word", "domain", "takes", "layouts", "pad"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_packing(row); },
  };
  return flow;
}

}  // namespace assay
