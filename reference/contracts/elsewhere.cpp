#include "reference/contracts/elsewhere.h"

#include <algorithm>
#include <sstream>

#include "reference/table/near.h"

namespace assay {
namespace {

bool stands_for(const std::string& pattern, const std::string& contract) {
  if (pattern.starts_with('*')) return contract.ends_with(pattern.substr(1));
  if (pattern.ends_with('*')) return contract.starts_with(pattern.substr(0, pattern.size() - 1));
  return contract == pattern;
}

}  // namespace

ElsewhereTable ElsewhereTable::load(const std::string& file, const ContractTables& contracts) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"contract", "needs", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  const std::vector<std::string> known = contracts.ids();
  ElsewhereTable all;
  for (const TableRow& row : table.rows) {
    for (const char* column : {"needs", "why"})
      if (table.text(row, column).empty()) throw table.error(row, column, "is empty: expected what the contract needs, and why");
    Entry entry{{}, table.text(row, "needs")};
    std::istringstream cell(table.text(row, "contract"));
    for (std::string pattern; std::getline(cell, pattern, '|');) {
      if (std::none_of(known.begin(), known.end(), [&](const std::string& id) { return stands_for(pattern, id); }))
        throw table.error(row, "contract", "no contract is '" + pattern + "'" + did_you_mean(pattern, known));
      entry.contracts.push_back(std::move(pattern));
    }
    all.entries_.push_back(std::move(entry));
  }
  return all;
}

std::string ElsewhereTable::needs(const std::string& contract) const {
  for (const Entry& entry : entries_)
    for (const std::string& pattern : entry.contracts)
      if (stands_for(pattern, contract)) return entry.needs;
  return "";
}

}  // namespace assay
