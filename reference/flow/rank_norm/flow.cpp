#include "reference/flow/flow.h"

#include "reference/contracts/bind.h"
#include "reference/contracts/named_row.h"
#include "reference/flow/rank_norm/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// A pinned sum, so that all ranks go on with one number, and a norm that adds a residual.
void check_parts(const ContractTables& tables, const ContractRow& row) {
  const ContractRow& reduce = named_row(tables, row, "reduce");
  if (reduce.flow != &rank_reduce_flow())
    throw row.error("reduce", 0, "'" + reduce.id + "' is a " + reduce.flow->name + " row; expected rank_reduce");
  const RankReduce sum = read_rank_reduce(reduce);
  if (sum.order == RankOrder::kAnyTree || sum.owners.any)
    throw row.error("reduce", 0, "the order of '" + reduce.id + "' is free");
  const Contract then = bind(tables, named_row(tables, row, "then").id, kBf16);
  if (!then.row_norm() || !then.row_norm()->adds())
    throw row.error("then", 0, "'" + then.id + "' is not a norm with a residual");
}

}  // namespace

const Flow& rank_norm_flow() {
  static const Flow flow{
      .name = "rank_norm",
      .kind = FlowKind::kRankNorm,
      .says = "reduce",
      .files = {"rank_norm.csv"},
      .columns = {"reduce", "then"},
      .check = check_parts,
  };
  return flow;
}

RankNorm read_rank_norm(const ContractRow& row) { return {row.text("reduce"), row.text("then")}; }

}  // namespace assay
