#include "reference/contracts/neighbours.h"

#include <algorithm>

#include "reference/contracts/row_edits.h"

namespace assay {

std::vector<Neighbour> neighbours_of(const ContractTables& tables, const Neighbour& first, const Format& x) {
  std::vector<Neighbour> result;
  for (size_t link = 0; link < first.rows.size(); ++link) {
    for (EditedRow::Edit& edit :
         first.rows[link]->edits(tables, x, link > 0 && first.contract.gated(), link + 1 < first.rows.size())) {
      Neighbour neighbour{std::move(edit.name), first.contract, first.rows, edit.suspect, edit.kind, std::min(first.right_links, link)};
      neighbour.contract.links[link] = edit.row.bind(x);
      neighbour.rows[link] = std::make_shared<EditedRow>(std::move(edit.row));
      result.push_back(std::move(neighbour));
    }
  }
  return result;
}

Neighbour unedited(const ContractTables& tables, const std::string& id, const Format& x) {
  Neighbour right{.name = "", .contract = bind(tables, id, x), .rows = {}};
  for (const std::string& link : chain_of(tables.find(id))) right.rows.push_back(std::make_shared<EditedRow>(tables.find(link)));
  return right;
}

std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x) {
  return neighbours_of(tables, unedited(tables, id, x), x);
}

}  // namespace assay
