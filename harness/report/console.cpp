#include "harness/report/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "harness/report/counts.h"
#include "harness/report/failure_groups.h"
#include "harness/report/where.h"
#include "harness/report/words.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

void line(std::string& text, const char* label, const std::string& content) {
  if (!content.empty()) text += fmt::format("  {:<9} {}\n", label, printable(content));
}

void element(std::string& text, const char* label, const TensorFinding& f, const Element& e) {
  line(text, label,
       fmt::format("{}{}   got {}   accepted {}   {}", f.name, shape_text(e.at), code_text(f.format, e.code, e.value),
                   accepted_text(f.format, e), distance_text(f.format, e)));
}

std::string facts(const TensorFinding& f) {
  std::string text;
  if (f.budget_use > 0) text += fmt::format(", budget use {:.2f}", f.budget_use);
  if (f.unjudged > 0) text += fmt::format(", {} unjudged", f.unjudged);
  return text;
}

void tensor(std::string& text, const TensorFinding& f) {
  const std::string what = fmt::format("{} {} {}: ", f.name, shape_text(f.shape), f.format);
  if (f.agrees()) {
    line(text, "tensor", what + fmt::format("{} elements agree{}", f.elements, facts(f)));
  } else if (f.outside == 0) {
    line(text, "tensor", what + fmt::format("{} elements agree, but the padding is wrong{}", f.elements, facts(f)));
  } else {
    line(text, "tensor",
         what +
             fmt::format("{} of {} elements outside their accepted set{}{}", f.outside, f.elements, direction_text(f), facts(f)));
    element(text, "first", f, f.first);
    if (f.worst.at != f.first.at) element(text, "worst", f, f.worst);
    line(text, "accepted", f.reason);
    for (const std::string& place : where_lines(f)) line(text, "where", place);
  }
  if (f.padding_wrong > 0)
    line(text, "padding", fmt::format("{} elements wrong, first {}{}", f.padding_wrong, f.name, f.padding_first));
  for (const std::string& note : f.notes) line(text, "note", note);
}

/// A table with a header. The first `left` columns are left-aligned, the others right-aligned.
std::string aligned(const std::vector<std::vector<std::string>>& rows, size_t left) {
  std::vector<size_t> width(rows.front().size());
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      line += c < left ? fmt::format("{:<{}}", row[c], width[c]) : fmt::format("{:>{}}", row[c], width[c]);
      line += c + 1 < row.size() ? "  " : "";
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// Leaves out contracts that the library does not implement: for a third-party library these are most.
std::string counts_table(const RunResult& result) {
  std::set<CountKey> offered, all;
  for (const Verdict& v : result.verdicts) {
    all.insert({v.op, v.contract, v.warp});
    if (v.offered) offered.insert({v.op, v.contract, v.warp});
  }
  std::vector<std::vector<std::string>> rows = {{"op", "contract", "warp"}};
  const std::vector<Outcome> outcomes = outcomes_of(result);
  for (const Outcome outcome : outcomes) rows[0].push_back(name(outcome));
  for (auto& [key, count] : counts_by_contract(result)) {
    const auto& [op, contract, warp] = key;
    if (!offered.contains(key)) continue;
    rows.push_back({printable(op), printable(contract), printable(warp)});
    for (const Outcome outcome : outcomes) {
      const auto found = count.find(outcome);
      rows.back().push_back(std::to_string(found == count.end() ? 0 : found->second));
    }
  }
  const std::string text = rows.size() > 1 ? aligned(rows, 3) : "";
  if (offered.size() == all.size()) return text;
  const size_t idle = all.size() - offered.size();
  return text + fmt::format("{} contract{} that the library does not implement {} not shown\n", idle, idle == 1 ? "" : "s",
                            idle == 1 ? "is" : "are");
}

/// A library with one op lacks all others; more reasons of that kind than this are merged into one line.
constexpr size_t kMostNotOffered = 8;

/// Skips by reason. Many missing ops and contracts are merged into one line.
std::map<std::string, int64_t> skips(const RunResult& result) {
  std::map<std::string, int64_t> counts = counts_by_message(result, Outcome::kSkip);
  int64_t cases = 0, ops = 0, contracts = 0;
  for (const auto& [reason, count] : counts) {
    const bool op = reason.starts_with("no kernel for op "), contract = reason.starts_with("no kernel for contract ");
    ops += op, contracts += contract;
    cases += op || contract ? count : 0;
  }
  if (ops + contracts <= int64_t(kMostNotOffered)) return counts;
  std::erase_if(counts, [](const auto& entry) {
    return entry.first.starts_with("no kernel for op ") || entry.first.starts_with("no kernel for contract ");
  });
  counts[fmt::format("no kernel for {} ops and for {} contracts of other ops; --report csv:FILE lists each case", ops, contracts)] = cases;
  return counts;
}

std::string counted(const std::map<std::string, int64_t>& counts, const char* title) {
  std::string text;
  for (const auto& [reason, count] : counts) text += fmt::format("  {:>5}  {}\n", count, printable(reason));
  return text.empty() ? "" : std::string(title) + "\n" + text;
}

}  // namespace

std::string failure_text(const Verdict& verdict) {
  std::string outcome = name(verdict.outcome);
  for (char& c : outcome) c = char(std::toupper(static_cast<unsigned char>(c)));
  std::string text = fmt::format("{}  {}\n", outcome, printable(verdict.case_id));
  line(text, "kernel", fmt::format("{} of back end {}", verdict.kernel, verdict.backend));
  line(text, "reason", verdict.message);
  for (const TensorFinding& finding : verdict.tensors) tensor(text, finding);
  line(text, "program", program_text(verdict));
  for (const std::string& cause : verdict.causes) line(text, "cause", cause);
  line(text, "looked at", verdict.looked_at);
  if (!verdict.deviation.empty()) line(text, "ledger", verdict.deviation);
  line(text, "row", verdict.origin + "  " + verdict.why);
  line(text, "repro", verdict.repro);
  return text;
}

std::string idle_rows_text(const Ledger& ledger, const RunResult& result) {
  std::string text;
  for (const Deviation* row : ledger.idle(result.verdicts))
    text += fmt::format("ledger: {} matches no verdict of this run\n", row->origin.text());
  return text;
}

std::string causes_text(const RunResult& result) {
  constexpr size_t kMostKernels = 3;
  std::string text;
  for (const FailureGroup& group : failures_by_cause(result)) {
    const Verdict& first = result.verdicts[group.first()];
    const std::string cause = group.cause.empty() ? headline(first) : group.cause;
    text += fmt::format("  {:>5}  {} {}{}\n", group.verdicts, name(first.outcome), printable(cause),
                        group.expected ? "  (as expected)" : "");
    std::string kernels;
    size_t named = 0;
    for (const std::string& kernel : group.kernels)
      if (named++ < kMostKernels) kernels += (kernels.empty() ? "" : ", ") + kernel;
    if (named > kMostKernels) kernels += fmt::format(" and {} more", named - kMostKernels);
    text += fmt::format("         {}; first {}\n", printable(kernels), printable(twins_text(result, group.failures.front())));
  }
  return text.empty() ? "" : "failed, by cause\n" + text;
}

std::string provenance_text(const Provenance& provenance, const LibraryInfo& library) {
  std::string text;
  for (const Fact& fact : facts_of(provenance, library))
    if (!fact.value.empty()) text += fmt::format("run_{:<12} {}\n", fact.name, printable(fact.value));
  return text;
}

bool wants_colour(int file) {
  const char *const refused = std::getenv("NO_COLOR"), *const terminal = std::getenv("TERM");
  if (refused != nullptr && *refused != '\0') return false;
  return ::isatty(file) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string coloured(const std::string& text, bool colour) {
  size_t end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ");
  while (end != std::string::npos && end > 0 && text[end - 1] == ' ') --end;
  if (!colour || end == 0 || end == std::string::npos) return text;
  const std::string words = text.substr(0, end);
  const bool good = words == "ALL AS EXPECTED" || words == "GATE OPEN";
  return (good ? "\x1b[1;32m" : "\x1b[1;31m") + words + "\x1b[0m" + text.substr(end);
}

std::string outcome_line(const RunResult& result) {
  const std::string ending = ending_text(result), counts = counts_text(result);
  if (!result.ended_by.empty()) {
    const std::string bad = result.unexpected() > 0 ? fmt::format("{} of {} not as expected; ", result.unexpected(), result.verdicts.size()) : "";
    return fmt::format("{}: {}{}; the other cases have no verdict\n", ending, bad, counts.empty() ? "no verdict" : counts);
  }
  if (result.device_lost || result.judged() == 0) return ending + (counts.empty() ? "" : ": " + counts) + "\n";
  if (result.unexpected() == 0) return ending + ": " + counts + "\n";
  return fmt::format("{}: {} of {} ({})\n", ending, result.unexpected(), result.verdicts.size(), counts);
}

std::string summary_text(const RunResult& result) {
  std::string text;
  if (!result.verdicts.empty()) text += counts_table(result);
  text += counted(skips(result), "skipped");
  text += counted(counts_by_message(result, Outcome::kUntrusted), "untrusted");
  text += counted(counts_by_rung(result), "determinism");
  return text + causes_text(result);
}

}  // namespace assay
