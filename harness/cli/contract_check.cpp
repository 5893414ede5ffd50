// assay contracts check FILE.csv...: reports contracts without a source, without a case, or with mutants that no case exposes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/visibility.h"
#include "harness/text/messages.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Parts of a cell that may be ids of contracts: "row_norm=a > group_quant=b" has a and b.
std::set<std::string> names_in(const std::string& cell) {
  std::set<std::string> names;
  constexpr const char* kSeparators = " |=>(),";
  for (size_t at = cell.find_first_not_of(kSeparators); at != std::string::npos;) {
    const size_t end = std::min(cell.find_first_of(kSeparators, at), cell.size());
    names.insert(cell.substr(at, end - at));
    at = cell.find_first_not_of(kSeparators, end);
  }
  return names;
}

/// Contracts that the cases check: contracts that a case names, and contracts that a cell of a checked contract names.
std::set<std::string> reached_by(const std::vector<Case>& cases) {
  std::set<std::string> reached;
  std::vector<std::string> open;
  for (const Case& one : cases) open.push_back(one.text("contract"));
  while (!open.empty()) {
    const std::string id = open.back();
    open.pop_back();
    const ContractRow* const row = rulebook().contracts.lookup(id);
    if (row == nullptr || !reached.insert(id).second) continue;
    for (const auto& [column, cell] : row->cells)
      if (column != "id" && column != "source" && column != "why")
        for (const std::string& name : names_in(cell.text)) open.push_back(name);
  }
  return reached;
}

/// Prints findings about contracts, and counts the contracts that have one.
class Findings {
 public:
  void add(const ContractRow& row, const char* column, const std::string& words) {
    const TableCell& cell = row.cells.at(column);
    fmt::print("{}:{}:{}: {}: {}: {}\n", row.file, cell.line, cell.column, row.id, column, words);
    contracts_.insert(row.id);
  }
  size_t contracts() const { return contracts_.size(); }

 private:
  std::set<std::string> contracts_;
};

/// Prints a note about layouts and group sizes that the contract admits and no case has.
void note_unused_alternatives(const ContractRow& row, const std::vector<const Case*>& cases) {
  for (const char* const column : {"layouts", "group"}) {
    if (!row.cells.contains(column)) continue;
    std::vector<std::string> unused = alternatives_of(row.text(column));
    std::erase_if(unused, [&](const std::string& one) {
      return one == "any" || std::any_of(cases.begin(), cases.end(), [&](const Case* each) {
               return std::any_of(each->parameters.begin(), each->parameters.end(),
                                  [&](const auto& cell) { return cell.second == one; });
             });
    });
    if (!unused.empty()) fmt::print("note: {}: no case has {} {}\n", row.id, column, fmt::join(unused, ", "));
  }
}

/// Tries this contract on the shipped quick cases whose contracts are of the same kind (flow). For each format of `x` for which no case
/// fits this contract, prints a note with the error of one case.
void note_unfit(const OpRegistry& ops, const ContractRow& row, const std::vector<Case>& shipped) {
  std::map<std::string, std::map<std::string, std::string>> refused;  // format of x -> op -> error of a case
  std::set<std::string> fits, ops_that_fit, tried;
  for (const Case& one : shipped) {
    const auto format = one.parameters.find("x");
    const ContractRow* const other = rulebook().contracts.lookup(one.text("contract"));
    if (one.tier != "quick" || format == one.parameters.end() || other == nullptr || other->flow != row.flow ||
        fits.contains(format->second))
      continue;
    if (!tried.insert(one.op + " " + other->id + " " + format->second).second) continue;
    try {
      (void)ops.find(one.op).bind(with_cells(one, {{"contract", row.id}}));
      fits.insert(format->second), ops_that_fit.insert(one.op);
    } catch (const std::exception& error) {
      refused[format->second].try_emplace(one.op, error.what());
    }
  }
  for (const auto& [format, of_ops] : refused) {
    if (fits.contains(format)) continue;
    const auto telling =
        std::find_if(of_ops.begin(), of_ops.end(), [&](const auto& entry) { return ops_that_fit.contains(entry.first); });
    fmt::print("note: {}: no shipped case with x in {} fits this contract; the error of one case: {}\n", row.id, format,
               telling == of_ops.end() ? of_ops.begin()->second : telling->second);
  }
}

/// For each op, adds a finding with the mutants of the contract that its cases do not expose.
void check_power(const ContractsArguments& arguments, const ContractRow& row, const std::vector<Case>& cases,
                 Findings& findings) {
  std::map<std::string, std::vector<Case>> by_op;
  for (const Case& one : cases)
    if (one.text("contract") == row.id) by_op[one.op].push_back(one);
  for (const auto& [name, of_op] : by_op) {
    size_t computed = 0;
    const Op& op = arguments.suites.ops->find(name);
    const std::map<std::string, Power> powers = powers_of(*arguments.suites.ops, of_op, PowerRecords(), computed);
    std::vector<ScoredCase> scored;
    std::set<std::string> seen;
    for (const Case& one : of_op)
      if (const auto power = powers.find(one.data_id()); power != powers.end() && seen.insert(one.data_id()).second)
        scored.push_back({&one, &power->second});
    const std::vector<std::string> missed =
        missed_by_all(scored, [&](const Case& one) { return counted_mutants(*op.bind(one)); });
    const TableExcuses excuses = excuses_of(op, scored);
    if (!missed.empty())
      findings.add(row, "id",
                   fmt::format("op {}: {}: {}; add inputs that expose them, or list them in `blind_to` of each case", name,
                               missed_words(scored.size()), fmt::join(missed, "; ")));
    else if (excuses.excuses_all())
      findings.add(row, "id", fmt::format("op {}: {}", name, excuses_all_words(excuses)));
    if (!excuses.excused.empty())
      fmt::print("note: excused by blind_to: {}\n", excused_words(excuses));
    if (!excuses.idle.empty()) fmt::print("note: {}: {}\n", row.id, idle_globs_words(excuses));
  }
}

}  // namespace

int check_contracts(const ContractsArguments& arguments) {
  if (arguments.ids.empty())
    throw UsageError("contracts check: expected the tables to check: assay contracts check FILE.csv [--cases FILE.csv]");
  Suites suites = arguments.suites;
  suites.tables.op = arguments.op;
  for (const std::string& file : arguments.ids)
    if (std::find(suites.tables.contracts.begin(), suites.tables.contracts.end(), file) == suites.tables.contracts.end())
      suites.tables.contracts.push_back(file);
  const bool with_cases = !suites.tables.cases.empty();
  const std::vector<Case> cases = open_cases(suites);  // the shipped cases unless --cases is given

  std::vector<const ContractRow*> rows;
  for (const ContractRow& row : rulebook().contracts.rows())
    if (std::find(arguments.ids.begin(), arguments.ids.end(), row.file) != arguments.ids.end()) rows.push_back(&row);
  if (rows.empty())
    throw UsageError("contracts check " + arguments.ids.front() +
                     ": the table has no contracts; for tensor core instructions see: assay arch");
  const std::set<std::string> reached = reached_by(cases);
  Findings findings;
  for (const ContractRow* row : rows) {
    if (row->text("source").empty())
      findings.add(*row, "source", "is empty; expected the file and commit, or the paper, that the contract was read from");
    if (!with_cases) {
      note_unfit(*suites.ops, *row, cases);
      continue;
    }
    if (!reached.contains(row->id)) {
      findings.add(*row, "id",
                   "no case of --cases names this contract, or a contract that refers to it; no kernel is checked against it");
      continue;
    }
    std::vector<const Case*> of_row;
    for (const Case& one : cases)
      if (one.text("contract") == row->id) of_row.push_back(&one);
    if (!of_row.empty()) note_unused_alternatives(*row, of_row);
    check_power(arguments, *row, cases, findings);
  }
  if (!with_cases)
    fmt::print("note: --cases FILE.csv also checks whether each contract has cases, and which mutants they expose\n");
  fmt::print("{} of {} contracts {}\n", findings.contracts(), rows.size(),
             findings.contracts() == 1 ? "has a finding" : "have findings");
  return findings.contracts() == 0 ? kAllAsExpected : kUnexpected;
}

}  // namespace assay
