#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/separation.h"
#include "harness/text/error.h"
#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "suites/cast/words.h"
#include "suites/contract_words.h"
#include "suites/registry.h"
#include "suites/rows/special_values.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Legend of the printed table of special values. SPECIALS.md has its own text.
constexpr const char* kLegend =
    "A column is a group of 32 bf16 numbers: the named ones first, zeros in the other places (NaN: in all).\n"
    "A cell is SCALE: CODES of the named numbers, as bits in hex. 1: the scale is given. S@Z: a scale and an int32 zero point.\n"
    "a/b: anything from a to b is accepted. ?: anything at all. nan: a NaN, whatever its bits.\n";

/// The strongest evidence for a contract, as text.
std::string evidence_words(const ContractRow& row) {
  const std::vector<RowEvidence> evidence = rulebook().evidence.of(row);
  return evidence.empty() ? "none" : evidence.front().text();
}

/// Prints how many contracts were run, out of those that can run here, and what the others need.
void print_reach() {
  int64_t can = 0, ran = 0, executed = 0;
  std::map<std::string, int64_t> elsewhere;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    const std::string needs = rulebook().elsewhere.needs(row.id);
    const std::vector<RowEvidence> evidence = rulebook().evidence.of(row);
    if (!needs.empty()) {
      const bool is_executed = !evidence.empty() && evidence.front().has_outputs();
      ++(is_executed ? executed : elsewhere[needs]);
      continue;
    }
    ++can;
    ran += !evidence.empty() && evidence.front().kind == EvidenceKind::kRan;
  }
  std::string others;
  for (const auto& [needs, rows] : elsewhere) others += fmt::format("{}{}: {}", others.empty() ? "" : ", ", needs, rows);
  fmt::print("{} of the {} rows that sm_90 or a CPU can run ran: {:.1f} %; executed on the CPU: {}; elsewhere {}\n", ran, can,
             100.0 * double(ran) / double(can), executed, others.empty() ? "none" : others);
}

void list(bool with_evidence) {
  size_t width = 0;
  for (const ContractRow& row : rulebook().contracts.rows()) width = std::max(width, row.id.size());
  for (const ContractRow& row : rulebook().contracts.rows())
    fmt::print("{:<{}}  {:<11}  {}\n", row.id, width, row.flow->name, with_evidence ? evidence_words(row) : row.text("why"));
  if (!with_evidence) return;
  std::map<EvidenceKind, int64_t> rows;
  for (const ContractRow& row : rulebook().contracts.rows())
    if (const std::vector<RowEvidence> evidence = rulebook().evidence.of(row); !evidence.empty()) ++rows[evidence.front().kind];
  fmt::print("{} rows ran, {} executed, {} read, {} inferred\n", rows[EvidenceKind::kRan], rows[EvidenceKind::kExecuted], rows[EvidenceKind::kRead],
             rows[EvidenceKind::kInferred]);
  print_reach();
}

void show(const std::string& id) {
  const ContractRow& row = rulebook().contracts.find(id);
  fmt::print("{}   {}:{}\n", row.id, std::filesystem::proximate(row.file, data_root()).string(), row.line);
  for (const std::string& line : contract_lines(id)) fmt::print("  {}\n", line);
  for (const auto& [column, cell] : row.cells)
    if (column != "id" && !cell.text.empty()) fmt::print("  {:<8} {}\n", column, cell.text);
  for (const RowEvidence& evidence : rulebook().evidence.of(row)) fmt::print("  {:<8} {}\n", "evidence", evidence.text());
}

void diff_casts(const ContractRow& a, const ContractRow& b) {
  for (const std::string& line : difference_lines(read_cast(a), read_cast(b))) fmt::print("  {}\n", line);
}

void cell_differences(const ContractRow& a, const ContractRow& b) {
  for (const auto& [column, cell] : a.cells) {
    if (column == "id" || column == "why" || column == "source" || column == "since" || column == "until") continue;
    const auto other = b.cells.find(column);
    const std::string text = other == b.cells.end() ? "" : other->second.text;
    if (text != cell.text) fmt::print("  {:<8} {}\n  {:<8} {}\n", column, cell.text, "", text);
  }
}

void diff(const OpRegistry& ops, const std::string& a, const std::string& b, const std::vector<Case>& cases) {
  const ContractTables& tables = rulebook().contracts;
  const Flow &flow = *tables.find(a).flow, &other = *tables.find(b).flow;
  const bool casts = &flow == &cast_flow() && &other == &cast_flow();
  const std::vector<Separation> found = casts ? std::vector<Separation>() : separate(ops.all(), cases, a, b);
  if (found.empty() && &flow != &other)
    throw UsageError(fmt::format("contracts diff: '{}' is a {} and '{}' a {}: no input has an answer under both", a, flow.name, b,
                                 other.name));
  fmt::print("{}\n{}\n", a, b);
  cell_differences(tables.find(a), tables.find(b));
  if (casts) return diff_casts(tables.find(a), tables.find(b));
  if (found.empty()) fmt::print("no quick case names both, or their op kinds, groups or layouts differ\n");
  std::string same;
  for (const Separation& s : found) {
    if (s.witness.empty()) {
      same += (same.empty() ? "" : ", ") + s.data;
      continue;
    }
    fmt::print("  {}\n", s.data);
    for (const SeparatedTensor& t : s.tensors)
      if (t.outside > 0)
        fmt::print("    {:<9} {} of {}, up to {} ulp, {:.3g} % of a number\n", t.name, t.outside, t.elements, t.worst_ulps,
                   100 * t.worst_part);
    fmt::print("    first     {}\n", s.witness);
  }
  if (!same.empty()) fmt::print("  nothing tells them apart on {}\n", same);
}

void need(const ContractsArguments& arguments, size_t count) {
  if (arguments.ids.size() != count)
    throw UsageError(fmt::format("contracts {} takes {} contract id{}", arguments.action, count, count == 1 ? "" : "s"));
}

}  // namespace

int contracts_verb(const ContractsArguments& arguments) {
  const std::vector<Case> cases = open_cases(arguments.suites);
  if (arguments.action == "specials") {
    if (arguments.write.empty() && arguments.check.empty()) fmt::print("{}\n", kLegend);
    return put_table("assay contracts specials", special_table, arguments.write, arguments.check);
  }
  if (arguments.action == "list") list(arguments.evidence);
  if (arguments.action == "show") need(arguments, 1), show(arguments.ids[0]);
  if (arguments.action == "diff") need(arguments, 2), diff(*arguments.suites.ops, arguments.ids[0], arguments.ids[1], cases);
  return kAllAsExpected;
}

}  // namespace assay
