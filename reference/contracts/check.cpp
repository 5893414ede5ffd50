#include <algorithm>
#include <stdexcept>

#include "reference/casts/profile.h"
#include "reference/contracts/bind.h"
#include "reference/contracts/group_shape.h"
#include "reference/formats/catalogue.h"
#include "reference/packing/packing.h"
#include "reference/table/near.h"

namespace assay {
namespace {

/// A row that the cell names.
const ContractRow& named_row(const ContractTables& tables, const ContractRow& row, const std::string& column) {
  try {
    return tables.find(row.text(column));
  } catch (const std::out_of_range& error) {
    throw row.error(column, 0, error.what());
  }
}

/// Heads that are normalized and rotated, and a record with codes, each of the numbers of a token.
void check_launch(const ContractTables& tables, const ContractRow& row) {
  const Contract heads = bind(tables, named_row(tables, row, "heads").id, kBf16);
  if (!heads.row_norm() || heads.links.size() != 2 || !heads.rope())
    throw row.error("heads", 0, "'" + heads.id + "' is no chain of a norm and a rope");
  const Contract insert = bind(tables, named_row(tables, row, "insert").id, kBf16);
  if (!insert.group_quant() || insert.group_quant()->record.empty())
    throw row.error("insert", 0, "'" + insert.id + "' does not end with a row of cache_insert");
}

/// Plain rows in the order in which flows may follow each other.
void check_chain(const ContractTables& tables, const ContractRow& row) {
  const std::string& text = row.text("chain");
  size_t at = 0;
  const std::vector<std::string> chain = chain_of(row);
  for (const std::string& id : chain) {
    const size_t place = text.find(id, at);
    const size_t offset = place == std::string::npos ? 0 : place;
    const auto known = tables.ids();
    if (std::find(known.begin(), known.end(), id) == known.end())
      throw row.error("chain", offset, "unknown contract '" + id + "'" + did_you_mean(id, known));
    const std::string flow = tables.find(id).flow;
    if (text.substr(0, offset).ends_with("=") && !text.substr(0, offset - 1).ends_with(flow))
      throw row.error("chain", offset, "'" + id + "' is a row of " + flow);
    if (flow == "row_norm" && at > 0) throw row.error("chain", offset, "a norm comes first: row_norm=ID > group_quant=ID");
    if (flow == "gated" && at > 0) throw row.error("chain", offset, "an activation comes first: gated=ID > group_quant=ID");
    if (flow == "group_quant" && &id != &chain.back())
      throw row.error("chain", offset, "codes end a chain: row_norm=ID > group_quant=ID");
    const bool given = flow == "group_quant" && tables.find(id).text("amax").empty();
    if (flow == "group_quant" && (given ? chain.size() == 1 : spans_rows(tables.find(id))))
      throw row.error("chain", offset, "'" + id + "' does not make its scales of one row, as a chain must");
    at = offset + id.size();
  }
  if (at == 0) throw row.error("chain", 0, "names no rows; written as row_norm=ID > group_quant=ID");
}

}  // namespace

void check(const ContractTables& tables, const ContractRow& row) {
  if (row.flow == "cast") return void(read_cast(row));
  if (row.flow == "pack") return void(read_packing(row));
  if (row.flow == "launch") return check_launch(tables, row);
  if (row.flow == "chain") check_chain(tables, row);
  bind(tables, row.id, kBf16);
}

}  // namespace assay
