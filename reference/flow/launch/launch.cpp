#include "reference/flow/launch/launch.h"

#include "reference/contracts/named_row.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Heads that are normalized and rotated, and a record with codes, each of the numbers of a token.
void check_launch(const ContractTables& tables, const ContractRow& row) {
  const Contract heads = bind(tables, named_row(tables, row, "heads").id, kBf16);
  if (!heads.row_norm() || heads.links.size() != 2 || !heads.rope())
    throw row.error("heads", 0, "'" + heads.id + "' is no chain of a norm and a rope");
  const Contract insert = bind(tables, named_row(tables, row, "insert").id, kBf16);
  if (!insert.group_quant() || insert.group_quant()->record.empty())
    throw row.error("insert", 0, "'" + insert.id + "' does not end with a row of cache_insert");
}

}  // namespace

const Flow& launch_flow() {
  static const Flow flow{
      .name = "launch",
      .kind = FlowKind::kLaunch,
      .says = "heads",
      .files = {"launch.csv"},
      .columns = {"heads", "insert"},
      .check = check_launch,
  };
  return flow;
}

}  // namespace assay
