#include "reference/contracts/rows.h"

#include <algorithm>
#include <stdexcept>

#include "reference/flow/registry.h"
#include "reference/table/near.h"

namespace assay {
namespace {

/// Columns of all contract tables.
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
    near = "; did you mean '" + candidates.front() + "' by '" + table.columns[i] + "'?";
    place = &table.header[i];
  }
  throw TableError(table.file, 1, place ? place->column : 1, "",
                   "no column says which flow this is: a contract table has one of the columns " + known + near);
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
    if (contract.id.empty()) throw table.error(row, "id", "a contract needs an id");
    if (const ContractRow* other = lookup(contract.id))
      throw table.error(row, "id",
                        "'" + contract.id + "' stands in " + other->file + ":" + std::to_string(other->line) +
                            " already; ids are never reused");
    if (const auto found = retired_.find(contract.id); found != retired_.end())
      throw table.error(row, "id", "'" + contract.id + "' was retired for '" + found->second.now + "'; ids are never reused");
    rows_.push_back(std::move(contract));
  }
  for (size_t i = first; i < rows_.size(); ++i) check(*this, rows_[i]);
}

bool has_recipes(const ContractRow& row) {
  return row.flow->kind == FlowKind::kLink || row.flow->kind == FlowKind::kChain;
}

const ContractRow* ContractTables::lookup(const std::string& id) const {
  const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const ContractRow& one) { return one.id == id; });
  return row == rows_.end() ? nullptr : &*row;
}

const ContractRow& ContractTables::find(const std::string& id) const {
  if (const ContractRow* row = lookup(id)) return *row;
  if (const auto found = retired_.find(id); found != retired_.end())
    throw std::out_of_range("contract '" + id + "' described no code: " + found->second.why + "; now '" + found->second.now + "'");
  throw std::out_of_range("unknown contract '" + id + "'" + did_you_mean(id, ids()));
}

std::vector<std::string> ContractTables::ids() const {
  std::vector<std::string> ids;
  for (const ContractRow& row : rows_) ids.push_back(row.id);
  return ids;
}

}  // namespace assay
