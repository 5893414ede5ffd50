// assay known write: a known-failures list from the JSON report of a run.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/cli/run_reports.h"
#include "harness/cli/verbs.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"
#include "harness/run/run.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {
namespace {

using ListCells = std::vector<std::string>;

/// A verdict of the report, with only the fields that a row of the list needs.
struct Reported {
  Verdict verdict;
  bool unexpected = false;
};

std::vector<Reported> reported_in(const std::string& path) {
  std::vector<Reported> all;
  try {
    const nlohmann::json report = read_json(path);
    if (report.at("version") != kJsonVersion)
      throw UsageError(fmt::format("{}: version: expected {}, got {}; make a new report with this program", path, kJsonVersion,
                                   report.at("version").dump()));
    for (const nlohmann::json& one : report.at("verdicts")) {
      Reported& reported = all.emplace_back();
      Verdict& v = reported.verdict;
      v.case_id = one.at("case");
      v.kernel = one.at("kernel");
      v.message = one.at("message");
      v.device_lost = one.value("device_lost", false);
      for (const nlohmann::json& cause : one.at("causes")) v.causes.push_back(cause);
      const std::string outcome = one.at("outcome");
      for (const Outcome known :
           {Outcome::kPass, Outcome::kFail, Outcome::kSkip, Outcome::kUntrusted, Outcome::kBroken, Outcome::kFlaky})
        if (outcome == name(known)) v.outcome = known;
      reported.unexpected = !one.at("as_expected").get<bool>();
    }
  } catch (const TableError& error) {
    throw UsageError(error.what() + std::string("; expected a report of --report json:FILE"));
  } catch (const nlohmann::json::exception& error) {
    throw UsageError(path + ": is not a report of --report json:FILE: " + message_text(error.what()));
  }
  return all;
}

/// Whether a known-failures list can name the verdict: it must be an unexpected failure. A skip or a lost device is none.
bool can_be_listed(const Reported& reported) {
  const Outcome outcome = reported.verdict.outcome;
  return reported.unexpected && !reported.verdict.device_lost && outcome != Outcome::kPass && outcome != Outcome::kSkip &&
         outcome != Outcome::kNotJudged;
}

std::string user_name() {
  const passwd* const entry = ::getpwuid(::geteuid());
  return entry == nullptr || entry->pw_name == nullptr ? "" : entry->pw_name;
}

std::string reason_of(const Verdict& v) {
  constexpr size_t kMost = 160;
  std::string text = v.causes.empty() ? v.message : v.causes.front();
  if (text.empty()) text = std::string(name(v.outcome));
  text = printable(text);
  return text.size() <= kMost ? text : text.substr(0, text.rfind(' ', kMost - 4)) + " ...";
}

std::string row_text(const ListCells& cells) {
  std::string text;
  for (const std::string& cell : cells) text += (&cell == &cells.front() ? "" : ",") + csv_cell(cell);
  return text + "\n";
}

/// Rows of the old list to keep: rows that match no verdict of the report, rows that match a verdict with the row's outcome, and
/// rows of outcome `flaky`. Names the dropped rows on stderr.
std::string kept_rows(const Ledger& old, const std::vector<Reported>& all, size_t& kept) {
  std::string text;
  for (const Deviation& row : old.rows()) {
    bool matches = false, lasts = false;
    for (const Reported& reported : all) {
      if (!row.covers(reported.verdict)) continue;
      matches = true;
      lasts |= row.outcome == name(reported.verdict.outcome) || row.outcome == name(Outcome::kFlaky);
    }
    if (matches && !lasts) {
      std::fprintf(stderr, "assay: dropped: %s: the report has no verdict '%s' for this row any more\n",
                   row.origin.text().c_str(), row.outcome.c_str());
      continue;
    }
    ++kept;
    text += row_text({row.cases, row.kernels, row.outcome, row.reason, row.issue, row.since, row.owner});
  }
  return text;
}

}  // namespace

int known_verb(const KnownArguments& arguments) {
  const std::string owner = arguments.owner.empty() ? user_name() : arguments.owner;
  if (owner.empty()) throw UsageError("known write: expected --owner NAME, because the system does not know your user name");
  const std::vector<Reported> all = reported_in(arguments.from);
  const Ledger old = arguments.keep.empty() ? Ledger() : Ledger::read(arguments.keep);
  size_t kept = 0, added = 0, silent = 0;
  std::string rows = kept_rows(old, all, kept);
  std::set<std::pair<std::string, std::string>> there;
  for (const Reported& reported : all) {
    const Verdict& v = reported.verdict;
    if (reported.unexpected && !can_be_listed(reported)) ++silent;
    if (!can_be_listed(reported) || !there.insert({v.case_id, v.kernel}).second) continue;
    ++added;
    rows += row_text({v.case_id, v.kernel, name(v.outcome), arguments.reason.empty() ? reason_of(v) : arguments.reason,
                      arguments.issue, arguments.since.empty() ? today() : arguments.since, owner});
  }
  const std::string text = "case,kernel,outcome,reason,issue,since,owner\n" + rows;
  (void)Ledger::parse(
      text, arguments.output.empty() ? "the list" : arguments.output);  // throws for a wrong date or a repeated row
  if (arguments.output.empty())
    std::printf("%s", text.c_str());
  else
    write_atomically(arguments.output, text);
  std::fprintf(stderr, "assay: %zu failure%s listed, %zu row%s kept%s\n", added, added == 1 ? "" : "s", kept,
               kept == 1 ? "" : "s",
               silent > 0 ? fmt::format("; {} unexpected verdicts are not failures and cannot be listed", silent).c_str() : "");
  return kAllAsExpected;
}

}  // namespace assay
