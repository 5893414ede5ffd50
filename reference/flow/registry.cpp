// The list of op kinds, and the loading of contract tables. A table has the op kind whose Flow::says is one of its columns.
#include "reference/flow/flow.h"

#include <algorithm>
#include <stdexcept>

#include "reference/casts/cast_profile.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/combine/combine.h"
#include "reference/flow/contiguity/contiguity.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/row.h"
#include "reference/flow/gather/gather.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/flow/routing/routing.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/packing/packing.h"
#include "reference/table/near.h"

namespace assay {

std::span<const Flow* const> all_flows() {
  static const Flow* const all[] = {
      &gather_flow(),      &quant_azp_flow(),   &cache_insert_flow(), &group_quant_flow(),  &row_norm_flow(),   &gated_flow(),
      &rope_flow(),
      &chain_flow(),       &launch_flow(),       &packing_flow(),      &cast_flow(),       &dot_flow(),     &dot_unknown_flow(),
      &rank_reduce_flow(), &combine_flow(),      &rank_norm_flow(),   &rank_squares_flow(), &contiguity_flow(), &shuffle_flow(),
      &routing_flow(),
  };
  return all;
}

const Flow& flow_named(const std::string& name) {
  std::vector<std::string> known;
  for (const Flow* flow : all_flows()) {
    if (flow->name == name) return *flow;
    known.push_back(flow->name);
  }
  throw std::out_of_range("unknown flow '" + name + "'" + did_you_mean(name, known));
}

bool takes(const ContractTables& tables, const ContractRow& row, const std::string& input) {
  for (const std::string& id : chain_of(row)) {
    const ContractRow& link = tables.find(id);
    if (!link.flow->link) continue;
    const std::vector<std::string> inputs = link.flow->link->inputs(link);
    if (std::find(inputs.begin(), inputs.end(), input) != inputs.end()) return true;
  }
  return false;
}

bool is_product(const ContractRow& row) { return row.flow == &dot_flow() || row.flow == &dot_unknown_flow(); }

bool is_quantization(const ContractRow& row) { return row.flow->link.has_value() && row.cells.contains("layouts"); }

namespace {

/// The columns that every contract table has.
const std::vector<std::string>& common_columns() {
  static const std::vector<std::string> columns = {"id", "since", "until", "source", "why"};
  return columns;
}

const Flow& flow_of(const Table& table) {
  std::vector<std::string> says;
  std::string known;
  for (const Flow* flow : all_flows()) {
    if (table.has_column(flow->says)) return *flow;
    says.push_back(flow->says);
    known.append(known.empty() ? "" : ", ").append(flow->says);
  }
  std::string near;
  const TableCell* place = nullptr;
  for (size_t i = 0; i < table.columns.size() && !place; ++i) {
    const std::vector<std::string> candidates = near_matches(table.columns[i], says);
    if (candidates.empty()) continue;
    near = "; did you mean '" + candidates.front() + "' instead of '" + table.columns[i] + "'?";
    place = &table.header[i];
  }
  throw TableError(table.file, 1, place ? place->column : 1, "",
                   "the table matches no op kind: expected one of the columns " + known + near);
}

}  // namespace

ContractTables ContractTables::load(const std::string& folder) {
  ContractTables tables;
  const Table retired = read_table(folder + "/retired.csv");
  retired.require_columns(std::vector<std::string>{"id", "now", "why"});
  for (const TableRow& row : retired.rows)
    tables.retired_[retired.text(row, "id")] = {retired.text(row, "now"), retired.text(row, "why")};
  for (const Flow* flow : all_flows())
    for (const std::string& file : flow->files) tables.add(folder + "/" + file);
  return tables;
}

void ContractTables::add(const std::string& file) {
  const Table table = read_table(file);
  const Flow& flow = flow_of(table);
  std::vector<std::string> columns = common_columns();
  columns.insert(columns.end(), flow.columns.begin(), flow.columns.end());
  table.require_columns(columns);
  columns.insert(columns.end(), flow.optional.begin(), flow.optional.end());
  table.allow_columns(columns);
  const size_t first = rows_.size();
  for (const TableRow& row : table.rows) {
    ContractRow contract = ContractRow::read(table, row, flow, columns);
    if (contract.id.empty()) throw table.error(row, "id", "is empty: expected a contract id");
    if (const ContractRow* other = lookup(contract.id))
      throw table.error(row, "id",
                        "'" + contract.id + "' is defined in " + other->file + ":" + std::to_string(other->line) +
                            " already; ids are never reused");
    if (const auto found = retired_.find(contract.id); found != retired_.end())
      throw table.error(row, "id",
                        "'" + contract.id + "' was withdrawn in favour of '" + found->second.now + "'; ids are never reused");
    places_.emplace(contract.id, rows_.size());
    rows_.push_back(std::move(contract));
  }
  for (size_t i = first; i < rows_.size(); ++i) check(*this, rows_[i]);
}

bool has_recipes(const ContractRow& row) {
  return row.flow->link.has_value() || row.flow == &chain_flow();
}

}  // namespace assay
