#include "reference/casts/profile.h"
#include "reference/flow/flow.h"

namespace assay {

const Flow& cast_flow() {
  static const Flow flow{
      .name = "cast",
      .kind = FlowKind::kCast,
      .says = "format",
      .files = {"casts.csv"},
      .columns = {"format", "from", "rounding", "overflow", "infinity", "nan", "minus_nan", "negative", "zero", "anomaly"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_cast(row); },
  };
  return flow;
}

}  // namespace assay
