// Reads evidence.csv and elsewhere.csv, and rejects incomplete evidence.
#include "reference/contracts/evidence.h"

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>

#include "reference/table/near.h"

namespace assay {
namespace {

constexpr std::array kNames = {"ran", "executed", "read", "inferred"};

EvidenceKind kind_of(const Table& table, const TableRow& row) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (table.text(row, "kind") == kNames[i]) return EvidenceKind(i);
  throw table.error(row, "kind", "'" + table.text(row, "kind") + "' is not one of: ran, executed, read, inferred");
}

/// The contract ids in a cell, which | separates.
std::vector<std::string> ids_of(const Table& table, const TableRow& row, const ContractTables& contracts) {
  const std::vector<std::string> known = contracts.ids();
  std::vector<std::string> ids;
  std::istringstream cell(table.text(row, "contract"));
  for (std::string id; std::getline(cell, id, '|');) {
    if (std::find(known.begin(), known.end(), id) == known.end())
      throw table.error(row, "contract", "unknown contract '" + id + "'" + did_you_mean(id, known));
    ids.push_back(std::move(id));
  }
  if (ids.empty()) throw table.error(row, "contract", "is empty: expected a contract id");
  return ids;
}

/// True for a Python package or a kernel that Triton generated. It was installed or generated, not compiled by us, so there are
/// no compiler flags to record.
bool comes_compiled(const std::string& of) {
  static const std::regex python(R"(^(torch|torchao|Triton|ml_dtypes) )");
  return std::regex_search(of, python);
}

void check_run(const Table& table, const TableRow& row) {
  for (const char* column : {"of", "on", "elements", "date", "result"})
    if (table.text(row, column).empty())
      throw table.error(row, column, "is empty: a run needs package, GPU, elements, date and result");
  if (table.integer(row, "elements") <= 0)
    throw table.error(row, "elements", "expected the number of compared elements, at least 1");
  if (table.text(row, "flags").empty() && !comes_compiled(table.text(row, "of")))
    throw table.error(row, "flags", "is empty: expected the flags of the build, or 'not recorded'");
}

/// True if `source` names the version that was read: "0f5257e2", "v0.19.1", "PTX 8.8", "PR 41825", "as of 2026-08".
bool names_a_version(const std::string& source) {
  static const std::regex version(R"(\b(?=[a-f]*[0-9])[0-9a-f]{7,40}\b|\bv?\d+\.\d+(\.\d+)?\b|\bPR \d+|\bas of \d{4})");
  return std::regex_search(source, version);
}

void check_executed(const Table& table, const TableRow& row) {
  check_run(table, row);
  if (!names_a_version(table.text(row, "of")))
    throw table.error(row, "of", "expected the version or the commit of the source that was compiled");
  static const std::regex compiler(R"((clang|hipcc|triton) \d.*)"),
      executor(R"(gfx\w+( and gfx\w+)* by assay_gcn \d+; approximate: .+)");
  if (!std::regex_match(table.text(row, "flags"), compiler))
    throw table.error(row, "flags", "expected compiler, version and flags, such as 'clang 22.1.8 -O3'");
  if (!std::regex_match(table.text(row, "on"), executor))
    throw table.error(
        row, "on",
        "expected architecture, executor and approximate instructions, such as 'ARCHITECTURE by assay_gcn 1; approximate: none'");
}

void check_not_run(const Table& table, const TableRow& row) {
  for (const char* column : {"on", "elements", "date", "result"})
    if (!table.text(row, column).empty()) throw table.error(row, column, "must be empty: the code was not run");
}

}  // namespace

const char* name_of(EvidenceKind kind) { return kNames[size_t(kind)]; }

std::string RowEvidence::text() const {
  std::string text = std::string(name_of(kind)) + ": " + of;
  if (!flags.empty()) text += " (" + flags + ")";
  if (has_outputs()) text += " on " + on + ", " + std::to_string(elements) + " elements, " + date + ": " + result;
  return text;
}

EvidenceTable EvidenceTable::load(const std::string& file, const ContractTables& contracts) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"contract", "kind", "of", "flags", "on", "elements", "date", "result"};
  table.require_columns(columns);
  table.allow_columns(columns);
  EvidenceTable all;
  for (const TableRow& row : table.rows) {
    const EvidenceKind kind = kind_of(table, row);
    if (table.text(row, "of").empty())
      throw table.error(row, "of", "is empty: expected what was run or read, or what the contract was inferred from");
    const bool has_outputs = kind == EvidenceKind::kRan || kind == EvidenceKind::kExecuted;
    kind == EvidenceKind::kRan ? check_run(table, row) : has_outputs ? check_executed(table, row) : check_not_run(table, row);
    all.entries_.push_back({ids_of(table, row, contracts),
                            {kind, table.text(row, "of"), table.text(row, "flags"), table.text(row, "on"),
                             has_outputs ? table.integer(row, "elements") : 0, table.text(row, "date"),
                             table.text(row, "result")}});
  }
  return all;
}

std::vector<RowEvidence> EvidenceTable::of(const ContractRow& row) const {
  std::vector<RowEvidence> found;
  for (const Entry& entry : entries_)
    if (std::find(entry.contracts.begin(), entry.contracts.end(), row.id) != entry.contracts.end())
      found.push_back(entry.evidence);
  const auto read = [](const RowEvidence& e) { return !e.has_outputs(); };
  if (std::none_of(found.begin(), found.end(), read) && names_a_version(row.text("source")))
    found.push_back({EvidenceKind::kRead, row.text("source"), {}, {}, 0, {}, {}});
  std::stable_sort(found.begin(), found.end(), [](const RowEvidence& a, const RowEvidence& b) { return a.kind < b.kind; });
  return found;
}

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
        throw table.error(row, "contract", "no contract matches '" + pattern + "'" + did_you_mean(pattern, known));
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
