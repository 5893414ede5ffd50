// Reads the rows of chains and launches, and checks the rows that they name.
#include "reference/flow/chain/chain.h"

#include <algorithm>
#include <stdexcept>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/scale_spec.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

const char kForm[] = "expected stages such as row_norm=ID > group_quant=ID";

/// Returns the row that a chain's stage names, in the tables of its op kind.
const ContractRow& row_of(const ContractTables& tables, const ContractRow& chain, const NamedLink& link) {
  if (!link.flow.empty()) {
    try {
      (void)flow_named(link.flow);
    } catch (const std::out_of_range& error) {
      throw chain.error("chain", link.at, error.what());
    }
  }
  const auto known = tables.ids();
  if (std::find(known.begin(), known.end(), link.id) == known.end())
    throw chain.error("chain", link.id_at(), "unknown contract '" + link.id + "'" + did_you_mean(link.id, known));
  const ContractRow& row = tables.find(link.id);
  if (!link.flow.empty() && row.flow != &flow_named(link.flow))
    throw chain.error("chain", link.id_at(), "'" + link.id + "' is a row of " + row.flow->name + ", not of " + link.flow);
  if (row.flow == &chain_flow())
    throw chain.error("chain", 0, "'" + link.id + "' is a chain; the stages of a chain must be single rows");
  if (!row.flow->link)
    throw chain.error("chain", link.id_at(),
                      "'" + link.id + "' is a row of " + row.flow->name + ", which cannot be a stage of a chain");
  return row;
}

/// Checks that the stages are rows of op kinds that may follow each other, and that no scale covers several rows.
void check_chain(const ContractTables& tables, const ContractRow& chain) {
  const std::vector<NamedLink> links = named_links(chain.text("chain"));
  if (links.empty()) throw chain.error("chain", 0, std::string("is empty; ") + kForm);
  for (size_t i = 0; i < links.size(); ++i) {
    const ContractRow& row = row_of(tables, chain, links[i]);
    const ChainPlace place = row.flow->link->place;
    const bool wrong = (place == ChainPlace::kFirst && i > 0) || (place == ChainPlace::kLast && i + 1 < links.size());
    if (wrong) throw chain.error("chain", links[i].id_at(), row.flow->link->place_words);
    if (!row.cells.contains("group")) continue;
    if (takes(tables, row, "scale") ? links.size() == 1 : spans_rows(row))
      throw chain.error("chain", links[i].id_at(),
                        "'" + row.id + "' does not compute its scales within one row, which a chain requires");
  }
  bind(tables, chain.id, kBf16);
}

}  // namespace

std::vector<NamedLink> named_links(const std::string& cell) {
  std::vector<NamedLink> links;
  for (size_t at = 0; at < cell.size();) {
    const size_t end = std::min(cell.find(' ', at), cell.size());
    const std::string word = cell.substr(at, end - at);
    if (!word.empty() && word != ">") {
      const size_t equals = word.find('=');
      const bool named = equals != std::string::npos;
      links.push_back({named ? word.substr(0, equals) : "", named ? word.substr(equals + 1) : word, at});
    }
    at = end + 1;
  }
  return links;
}

std::vector<std::string> chain_of(const ContractRow& row) {
  if (row.flow != &chain_flow()) return {row.id};
  std::vector<std::string> ids;
  for (const NamedLink& link : named_links(row.text("chain"))) ids.push_back(link.id);
  return ids;
}

const Flow& chain_flow() {
  static const Flow flow{
      .name = "chain",
      .says = "chain",
      .files = {"fused.csv", "fused_silu.csv", "fused_norm.csv", "fused_cache.csv", "fused_rope.csv"},
      .columns = {"chain"},
      .check = check_chain,
  };
  return flow;
}

namespace {

/// Checks that a launch names heads with a norm and a rotation, and a cache record with codes, both with the same number of
/// elements.
void check_launch(const ContractTables& tables, const ContractRow& row) {
  const Contract heads = bind(tables, named_row(tables, row, "heads").id, kBf16);
  if (!heads.row_norm() || heads.links.size() != 2 || !heads.rope())
    throw row.error("heads", 0, "'" + heads.id + "' is not a chain of row_norm and rope");
  const Contract insert = bind(tables, named_row(tables, row, "insert").id, kBf16);
  if (!insert.group_quant() || insert.group_quant()->record.empty())
    throw row.error("insert", 0, "'" + insert.id + "' does not end with a row of cache_insert");
}

}  // namespace

const Flow& launch_flow() {
  static const Flow flow{
      .name = "launch",
      .says = "heads",
      .files = {"launch.csv"},
      .columns = {"heads", "insert"},
      .check = check_launch,
  };
  return flow;
}

}  // namespace assay
