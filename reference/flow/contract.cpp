// Binds contract rows, stage by stage.
#include "reference/flow/contract.h"

#include <algorithm>

#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {

const GroupQuant* Contract::group_quant() const { return std::get_if<GroupQuant>(&links.back()); }
const RowNorm* Contract::row_norm() const { return std::get_if<RowNorm>(&links.front()); }
const Gated* Contract::gated() const { return std::get_if<Gated>(&links.front()); }
const Rope* Contract::rope() const {
  for (const Link& link : links)
    if (const auto* rope = std::get_if<Rope>(&link)) return rope;
  return nullptr;
}

Link bind_link(const RowCells& cells, const Format& x) {
  const Flow& flow = *cells.row().flow;
  if (!flow.link) throw cells.error("id", 0, "'" + cells.id() + "' is a " + flow.name + ", not a row of recipes");
  return flow.link->bind(cells, x);
}

Contract bind(const ContractTables& tables, const std::string& id, const Format& x) {
  const ContractRow& row = tables.find(id);
  Contract contract{id, {}};
  for (const std::string& link : chain_of(row)) {
    const ContractRow& part = tables.find(link);
    contract.links.push_back(bind_link(RowCells(part), x));
  }
  return contract;
}

void check(const ContractTables& tables, const ContractRow& row) {
  if (row.flow->check) return row.flow->check(tables, row);
  bind(tables, row.id, kBf16);
}

}  // namespace assay
