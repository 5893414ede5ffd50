#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "reference/table/near.h"
#include "reference/table/table.h"

namespace assay {
namespace {

const std::vector<std::string> kColumns = {"case", "kernel", "outcome", "reason", "issue", "since", "owner"};

bool is_date(const std::string& text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  const bool has_shape = std::equal(text.begin(), text.end(), kShape.begin(), kShape.end(), [](char c, char shape) {
    return shape == 'd' ? std::isdigit(static_cast<unsigned char>(c)) != 0 : c == shape;
  });
  return has_shape && std::chrono::year_month_day(std::chrono::year(std::stoi(text.substr(0, 4))),
                                                  std::chrono::month(unsigned(std::stoi(text.substr(5, 2)))),
                                                  std::chrono::day(unsigned(std::stoi(text.substr(8, 2)))))
                          .ok();
}

Deviation deviation_of(const Table& table, const TableRow& row) {
  for (const std::string& column : kColumns)
    if (table.text(row, column).empty())
      throw table.error(row, column, "is empty: a known failure needs a reason, an issue, a date and an owner");
  std::vector<std::string> outcomes;
  for (const Outcome o : {Outcome::kPass, Outcome::kFail, Outcome::kSkip, Outcome::kUntrusted, Outcome::kBroken, Outcome::kFlaky})
    outcomes.push_back(name(o));
  const std::string& outcome = table.text(row, "outcome");
  if (std::find(outcomes.begin(), outcomes.end(), outcome) == outcomes.end())
    throw table.error(row, "outcome", "no outcome '" + outcome + "'" + did_you_mean(outcome, outcomes));
  if (!is_date(table.text(row, "since")))
    throw table.error(row, "since", "'" + table.text(row, "since") + "': expected a date like 2026-11-21");
  return {table.text(row, "case"),   table.text(row, "kernel"), outcome,
          table.text(row, "reason"), table.text(row, "issue"),  table.text(row, "since"),
          table.text(row, "owner"),  {table.file, row.line}};
}

}  // namespace

bool Deviation::covers(const Verdict& verdict) const {
  return glob_match(cases, verdict.case_id) && glob_match(kernels, verdict.kernel);
}

std::string Deviation::text() const {
  return "expects " + outcome + ": " + reason + " (" + issue + ", since " + since + ", " + owner + "; " + origin.text() + ")";
}

Ledger Ledger::read(const std::string& path) { return parse(read_text(path), path); }

Ledger Ledger::parse(const std::string& text, const std::string& file) {
  const Table table = parse_table(text, file);
  table.require_columns(kColumns);
  table.allow_columns(kColumns);
  Ledger ledger;
  std::map<std::pair<std::string, std::string>, std::string> places;
  for (const TableRow& row : table.rows) {
    ledger.rows_.push_back(deviation_of(table, row));
    const Deviation& one = ledger.rows_.back();
    const auto [first, is_new] = places.try_emplace({one.cases, one.kernels}, one.origin.text());
    if (!is_new) throw table.error(row, "case", "is a duplicate: " + first->second + " is for the same cases and kernels");
  }
  return ledger;
}

const Deviation* Ledger::find(const Verdict& verdict) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Deviation& row) { return row.covers(verdict); });
  return found == rows_.end() ? nullptr : &*found;
}

void Ledger::expect(Verdict& verdict) const {
  const Deviation* const row = find(verdict);
  if (row == nullptr) return;
  verdict.expected = row->outcome;
  verdict.deviation = row->text();
}

std::vector<const Deviation*> Ledger::idle(const std::vector<Verdict>& verdicts) const {
  std::set<const Deviation*> busy;
  for (const Verdict& verdict : verdicts) busy.insert(find(verdict));
  std::vector<const Deviation*> idle;
  for (const Deviation& row : rows_)
    if (!busy.contains(&row)) idle.push_back(&row);
  return idle;
}

std::vector<std::string> Ledger::stale(const std::vector<Verdict>& verdicts, const std::vector<Case>& cases,
                                       std::span<const Op> ops) const {
  std::vector<std::string> stale;
  for (const Deviation* row : idle(verdicts)) {
    const std::string op = row->cases.substr(0, row->cases.find('/'));
    if (op.find_first_of("*?[") != std::string::npos) continue;
    const bool exists = std::any_of(ops.begin(), ops.end(), [&](const Op& one) { return one.name == op; });
    const bool is_there = std::any_of(cases.begin(), cases.end(), [&](const Case& one) { return one.op == op; });
    const bool matches = std::any_of(cases.begin(), cases.end(), [&](const Case& one) { return glob_match(row->cases, one.id); });
    if (!exists || (is_there && !matches)) stale.push_back(row->origin.text());
  }
  return stale;
}

}  // namespace assay
