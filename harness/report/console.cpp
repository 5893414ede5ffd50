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

#include "harness/report/causes.h"
#include "harness/report/failure_groups.h"
#include "harness/report/verdict_text.h"
#include "harness/text/messages.h"

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
    line(text, "tensor", what + fmt::format("all {} elements are accepted{}", f.elements, facts(f)));
  } else if (f.outside == 0) {
    line(text, "tensor", what + fmt::format("all {} elements are accepted, but the padding is wrong{}", f.elements, facts(f)));
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

/// Limit on the rows of the table of counts. Above it, each op has one row, followed by its contracts with failures.
constexpr size_t kMostContracts = 24, kMostFailingContracts = 12;

/// A row of the table of counts.
std::vector<std::string> counts_row(std::vector<std::string> names, const std::vector<Outcome>& outcomes,
                                    const std::map<Outcome, int64_t>& counts) {
  for (const Outcome outcome : outcomes) {
    const auto found = counts.find(outcome);
    names.push_back(std::to_string(found == counts.end() ? 0 : found->second));
  }
  return names;
}

/// Leaves out contracts that the library does not implement. A third-party library implements few.
std::string counts_table(const RunResult& result, const Shown& shown) {
  std::set<CountKey> offered, all;
  for (const Verdict& v : result.verdicts) {
    all.insert({v.op, v.contract, v.warp});
    if (v.offered) offered.insert({v.op, v.contract, v.warp});
  }
  std::vector<std::vector<std::string>> rows = {{"op", "contract", "warp"}};
  const std::vector<Outcome> outcomes = outcomes_of(result);
  for (const Outcome outcome : outcomes) rows[0].push_back(name(outcome));
  const bool by_op = !shown.all && offered.size() > kMostContracts;
  std::map<std::string, std::map<Outcome, int64_t>> ops;
  std::map<std::string, std::set<std::string>> contracts_of;
  size_t failing = 0;
  std::vector<std::vector<std::string>> kept;
  for (const auto& [key, count] : counts_by_contract(result)) {
    const auto& [op, contract, warp] = key;
    if (!offered.contains(key)) continue;
    contracts_of[op].insert(contract);
    bool bad = false;
    for (const auto& [outcome, number] : count) ops[op][outcome] += number, bad |= is_bad(outcome);
    if (!by_op || (bad && failing++ < kMostFailingContracts))
      kept.push_back(counts_row({printable(op), printable(contract), printable(warp)}, outcomes, count));
  }
  if (by_op)
    for (const auto& [op, count] : ops) {
      const size_t contracts = contracts_of[op].size();
      rows.push_back(
          counts_row({printable(op), fmt::format("{} contract{}", contracts, contracts == 1 ? "" : "s"), ""}, outcomes, count));
    }
  rows.insert(rows.end(), kept.begin(), kept.end());
  std::string text = rows.size() > 1 ? aligned(rows, 3) : "";
  if (by_op && failing > kMostFailingContracts)
    text += fmt::format("{} more lines with failures; --show all prints every contract\n",
                        failing - kMostFailingContracts);
  else if (by_op)
    text += "--show all prints every contract\n";
  if (offered.size() == all.size()) return text;
  const size_t idle = all.size() - offered.size();
  return text + fmt::format("{} contract{} that the library does not implement {} not shown\n", idle, idle == 1 ? "" : "s",
                            idle == 1 ? "is" : "are");
}

/// Limit on the lines for skip reasons "no kernel for op ..." and "no kernel for contract ..."; more reasons become one line.
constexpr size_t kMostNotOffered = 8;

std::string names_text(const std::set<std::string>& names) {
  constexpr size_t kMost = 3;
  std::string text;
  size_t named = 0;
  for (const std::string& name : names)
    if (named++ < kMost) text += (text.empty() ? "" : ", ") + name;
  return named > kMost ? text + fmt::format(" and {} more", named - kMost) : text;
}

/// Contracts without a kernel, of ops that the library offers.
int64_t contracts_not_offered(const RunResult& result, const std::set<std::string>& ops) {
  std::set<std::string> all;
  for (const Verdict& v : result.verdicts)
    if (!v.offered && ops.contains(v.op) && v.message == "no kernel for contract " + v.contract) all.insert(v.contract);
  return int64_t(all.size());
}

/// Skips by reason. Many missing ops and contracts are merged into one line.
std::map<std::string, int64_t> skips(const RunResult& result) {
  std::map<std::string, int64_t> counts = counts_by_message(result, Outcome::kSkip);
  int64_t cases = 0, ops = 0, contracts = 0;
  std::set<std::string> offered, other_ops;  // ops with at least one offered contract; all others
  for (const Verdict& v : result.verdicts)
    if (v.offered) offered.insert(v.op);
  for (const Verdict& v : result.verdicts)
    if (!offered.contains(v.op)) other_ops.insert(v.op);
  for (const auto& [reason, count] : counts) {
    const bool op = reason.starts_with("no kernel for op "), contract = reason.starts_with("no kernel for contract ");
    ops += op, contracts += contract;
    cases += op || contract ? count : 0;
  }
  if (ops + contracts <= int64_t(kMostNotOffered)) return counts;
  std::erase_if(counts, [](const auto& entry) {
    return entry.first.starts_with("no kernel for op ") || entry.first.starts_with("no kernel for contract ");
  });
  const std::string of_ops =
      other_ops.empty() ? "" : fmt::format("{} other op{}", other_ops.size(), other_ops.size() == 1 ? "" : "s");
  const int64_t of_offered = contracts_not_offered(result, offered);
  const std::string of_contracts =
      of_offered == 0 ? ""
                      : fmt::format("{} other contract{} of {}", of_offered, of_offered == 1 ? "" : "s", names_text(offered));
  counts[fmt::format("no kernel for {}{}{}; --report csv:FILE lists each case", of_ops,
                     of_ops.empty() || of_contracts.empty() ? "" : " and ", of_contracts)] = cases;
  return counts;
}

std::string counted(const std::map<std::string, int64_t>& counts, const char* title, const Shown& shown) {
  constexpr size_t kMost = 10;
  std::string text;
  size_t lines = 0;
  for (const auto& [reason, count] : counts)
    if (shown.all || lines++ < kMost) text += fmt::format("  {:>5}  {}\n", count, printable(reason));
  if (lines > kMost) text += fmt::format("         and {} more; --show all prints them\n", lines - kMost);
  return text.empty() ? "" : std::string(title) + "\n" + text;
}

/// The text, cut at the last space of its first 200 characters.
std::string cut(const std::string& text) {
  constexpr size_t kMost = 200;
  return text.size() <= kMost ? text : text.substr(0, text.rfind(' ', kMost)) + " ...";
}

/// Unexpected verdicts in one block: failures with one cause, or verdicts that contradict one row of the known-failures list.
struct Block {
  std::vector<size_t> places;  ///< indices of verdicts; the first is shown in full
  std::string title;
};

std::vector<Block> blocks_of(const RunResult& result, const Shown& shown) {
  std::vector<Block> blocks;
  if (shown.all) {
    for (size_t i = 0; i < result.verdicts.size(); ++i)
      if (!as_expected(result.verdicts[i])) blocks.push_back({{i}, result.verdicts[i].case_id});
    return blocks;
  }
  for (const FailureGroup& group : failures_by_cause(result)) {
    Block block;
    for (const Twins& twins : group.failures)
      for (const size_t place : twins.places)
        if (!as_expected(result.verdicts[place])) {
          if (block.places.empty())
            block.title = place == twins.places.front() ? twins_text(result, twins) : result.verdicts[place].case_id;
          block.places.push_back(place);
        }
    if (!block.places.empty()) blocks.push_back(std::move(block));
  }
  std::map<std::string, size_t> of_row;
  for (size_t i = 0; i < result.verdicts.size(); ++i) {
    const Verdict& v = result.verdicts[i];
    if (is_bad(v.outcome) || as_expected(v)) continue;
    const auto [known, is_new] = of_row.emplace(v.deviation + name(v.outcome), blocks.size());
    if (is_new) blocks.push_back({{}, v.case_id});
    blocks[known->second].places.push_back(i);
  }
  return blocks;
}

/// "73 verdicts of kernels a, b and 2 more; also ID, ID, ...": the failures that a block does not show.
std::string others_text(const RunResult& result, const Block& block) {
  constexpr size_t kMostIds = 2;
  std::set<std::string> kernels;
  for (const size_t place : block.places) kernels.insert(result.verdicts[place].kernel);
  std::string text =
      fmt::format("{} verdicts of kernel{} {}", block.places.size(), kernels.size() == 1 ? "" : "s", names_text(kernels));
  size_t named = 0;
  std::set<std::string> data = {data_of(result.verdicts[block.places.front()])};
  for (const size_t place : block.places)
    if (data.insert(data_of(result.verdicts[place])).second && named++ < kMostIds)
      text += (named == 1 ? "; also " : ", ") + result.verdicts[place].case_id;
  return named > kMostIds ? text + ", ..." : text;
}

std::string block_text(const Verdict& verdict, const std::string& title, const std::string& others) {
  std::string outcome = name(verdict.outcome);
  for (char& c : outcome) c = char(std::toupper(static_cast<unsigned char>(c)));
  std::string text = fmt::format("{}  {}\n", outcome, printable(title));
  for (const std::string& cause : verdict.causes) line(text, "cause", cause);
  if (verdict.gate) line(text, "gate", name(verdict.gate->state) + (verdict.gate->note.empty() ? "" : ": " + verdict.gate->note));
  line(text, "reason", verdict.message);
  line(text, "failures", others);
  if (verdict.backend != "dump" && verdict.backend != "outputs")
    line(text, "kernel", fmt::format("{} of back end {}", verdict.kernel, verdict.backend));
  for (const TensorFinding& finding : verdict.tensors) tensor(text, finding);
  line(text, "program", program_text(verdict));
  constexpr std::string_view kLabel = "looked at ";
  line(text, "looked at", verdict.looked_at.starts_with(kLabel) ? verdict.looked_at.substr(kLabel.size()) : verdict.looked_at);
  if (!verdict.deviation.empty()) line(text, "listed", verdict.deviation);
  line(text, "row", verdict.origin + "  " + verdict.why);
  line(text, "repro", verdict.repro);
  line(text, "next", next_step(verdict));
  return text;
}

/// Drops lines from the middle of a long block. Keeps the end, which has the repro command.
std::string shortened_block(const std::string& text) {
  constexpr size_t kMostLines = 20, kEnd = 3;
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    lines.push_back(text.substr(at, text.find('\n', at) + 1 - at));
  if (lines.size() <= kMostLines) return text;
  std::string kept;
  for (size_t i = 0; i < kMostLines - kEnd; ++i) kept += lines[i];
  kept += fmt::format("  ...       {} more lines; --show all prints them\n", lines.size() - (kMostLines - 1));
  for (size_t i = lines.size() - kEnd + 1; i < lines.size(); ++i) kept += lines[i];
  return kept;
}

}  // namespace

std::string untried_levels_text(const RunResult& result) {
  int64_t passed = 0, climbed = 0;
  std::map<std::string, std::map<std::string, int64_t>> absent;  // level -> reason -> verdicts
  for (const Verdict& v : result.verdicts) {
    passed += v.outcome == Outcome::kPass;
    if (!v.climb) continue;
    ++climbed;
    for (const auto& [level, reason] : v.climb->absent) ++absent[level][reason];
  }
  if (passed == 0 && climbed == 0) return "";
  if (climbed == 0) return "not tried: determinism tests (repeat, batch, neighbours, stream, graph); --ladder runs them";
  std::string text;
  for (const auto& [level, reasons] : absent) {
    int64_t verdicts = 0;
    auto most = reasons.begin();
    for (auto one = reasons.begin(); one != reasons.end(); ++one) {
      verdicts += one->second;
      if (one->second > most->second) most = one;
    }
    text += fmt::format("{}{} in {} of {} verdicts ({}{})", text.empty() ? "" : "; ", level, verdicts, climbed,
                        reasons.size() > 1 ? "mostly: " : "", printable(most->first));
  }
  return text.empty() ? "" : "not tried: " + text;
}

std::string failure_text(const Verdict& verdict) { return block_text(verdict, verdict.case_id, ""); }

std::string failures_text(const RunResult& result, const Shown& shown, bool colour) {
  const std::vector<Block> blocks = blocks_of(result, shown);
  std::string text;
  size_t printed = 0, left = 0;
  for (const Block& block : blocks) {
    if (!shown.all && printed == shown.failures) {
      left += block.places.size();
      continue;
    }
    ++printed;
    const Verdict& first = result.verdicts[block.places.front()];
    const std::string whole = block_text(first, block.title, block.places.size() > 1 ? others_text(result, block) : "");
    text += coloured(shown.all ? whole : shortened_block(whole), colour) + "\n";
  }
  if (left > 0)
    text += fmt::format("{} more cause{} with {} verdict{}, listed below; --max-failures N or --show all prints them in full\n\n",
                        blocks.size() - printed, blocks.size() - printed == 1 ? "" : "s", left, left == 1 ? "" : "s");
  return text;
}

std::string idle_rows_text(const Ledger& ledger, const RunResult& result) {
  constexpr size_t kMostRows = 8;
  std::vector<std::string> lines;
  for (const Deviation* row : ledger.idle(result.verdicts)) {
    const std::string place = row->origin.text();
    const bool is_stale = std::find(result.stale_rows.begin(), result.stale_rows.end(), place) != result.stale_rows.end();
    const bool has_case = std::any_of(result.verdicts.begin(), result.verdicts.end(),
                                      [&](const Verdict& v) { return glob_match(row->cases, v.case_id); });
    const char* const nothing = is_stale   ? "no case of its op; was the case renamed, or is the id misspelled?"
                                : has_case ? "no kernel that ran its cases"
                                           : "no case of this run";
    lines.insert(is_stale ? lines.begin() : lines.end(), fmt::format("known-failures list: {} matches {}\n", place, nothing));
  }
  std::string text;
  for (size_t i = 0; i < std::min(lines.size(), kMostRows); ++i) text += lines[i];
  return lines.size() > kMostRows
             ? text + fmt::format("known-failures list: {} more rows match nothing in this run\n", lines.size() - kMostRows)
             : text;
}

std::string idle_kernels_text(const RunResult& result) {
  constexpr size_t kMostKernels = 8;
  std::map<std::string, std::map<std::string, int64_t>> skipped;  // by kernel and reason
  std::set<std::string> judged;
  for (const Verdict& v : result.verdicts) {
    if (v.kernel.empty() || v.device_lost) continue;
    if (v.outcome == Outcome::kSkip) ++skipped[v.kernel][v.message];
    else judged.insert(v.kernel);
  }
  std::string text;
  size_t shown = 0, left = 0;
  for (const auto& [kernel, reasons] : skipped) {
    if (judged.contains(kernel)) continue;
    if (shown++ >= kMostKernels) {
      ++left;
      continue;
    }
    const auto most =
        std::max_element(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    int64_t others = 0;
    for (const auto& [reason, count] : reasons) others += reason == most->first ? 0 : count;
    text += fmt::format("kernel {} ran no case: skipped {} time{} because of \"{}\"{}\n", printable(kernel), most->second,
                        most->second == 1 ? "" : "s", printable(most->first),
                        others > 0 ? fmt::format(", {} for other reasons", others) : "");
  }
  return left > 0 ? text + fmt::format("{} more kernels ran no case\n", left) : text;
}

std::string gate_lists_text(const RunResult& result, const Shown& shown) {
  constexpr size_t kMostPrinted = 20;
  std::string text;
  for (const auto& [state, count] : counts_by_state(result)) {
    if (count == 0 || state == GateState::kNew || state == GateState::kSameBits) continue;
    text += fmt::format("{}:\n", name(state));
    size_t printed = 0;
    for (const Verdict& v : result.verdicts) {
      if (!v.gate || v.gate->state != state || (!shown.all && printed == kMostPrinted)) continue;
      ++printed;
      text += fmt::format("{} {}{}{}\n", printable(v.case_id), printable(v.kernel), v.gate->note.empty() ? "" : ": ",
                          printable(v.gate->note));
      for (const std::string& change : v.gate->changes) text += "  " + printable(change) + "\n";
    }
    if (size_t(count) > printed) text += fmt::format("and {} more; --show all prints them\n", size_t(count) - printed);
  }
  return text;
}

std::string causes_text(const RunResult& result, const Shown& shown) {
  constexpr size_t kMostCauses = 12;
  std::string text;
  const std::vector<FailureGroup> groups = failures_by_cause(result);
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!shown.all && i == kMostCauses) {
      text += fmt::format("         and {} more causes; --show all prints them\n", groups.size() - i);
      break;
    }
    const FailureGroup& group = groups[i];
    const Verdict& first = result.verdicts[group.first()];
    const std::string cause = group.cause.empty() ? headline(first) : group.cause;
    text += fmt::format("  {:>5}  {} {}{}\n", group.verdicts, name(first.outcome), printable(shown.all ? cause : cut(cause)),
                        group.expected ? "  (as expected)" : "");
    text += fmt::format("         {}; first {}\n", printable(names_text(group.kernels)),
                        printable(twins_text(result, group.failures.front())));
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
  std::string rest = text.substr(end);
  constexpr std::string_view kCause = "\n  cause     ";
  for (size_t at = rest.find(kCause); at != std::string::npos; at = rest.find(kCause, at + 1)) {
    rest.insert(std::min(rest.find('\n', at + 1), rest.size()), "\x1b[0m");
    rest.insert(at + 1, "\x1b[1;33m");
  }
  return (good ? "\x1b[1;32m" : "\x1b[1;31m") + words + "\x1b[0m" + rest;
}

/// Why a run with --strict fails: "; 1 row of the known-failures list matches no case". Empty if it does not fail for that.
static std::string stale_text(const RunResult& result) {
  const size_t rows = result.stale_rows.size();
  if (!result.rejects_stale_rows || rows == 0) return "";
  return fmt::format("; {} row{} of the known-failures list match{} no case", rows, rows == 1 ? "" : "s", rows == 1 ? "es" : "");
}

std::string outcome_line(const RunResult& result) {
  const std::string ending = ending_text(result), counts = counts_text(result);
  if (!result.ended_by.empty()) {
    const std::string bad =
        result.unexpected() > 0 ? fmt::format("{} of {} not as expected; ", result.unexpected(), result.verdicts.size()) : "";
    return fmt::format("{}: {}{}; the other cases have no verdict\n", ending, bad, counts.empty() ? "no verdict" : counts);
  }
  if (result.device_lost || (result.judged() == 0 && !result.gate)) return ending + (counts.empty() ? "" : ": " + counts) + "\n";
  if (result.gate) return ending + ": " + states_text(result) + stale_text(result) + "\n";
  const std::string stale = stale_text(result);
  if (result.unexpected() == 0) return ending + ": " + counts + stale + "\n";
  const auto fixed = std::count_if(result.verdicts.begin(), result.verdicts.end(), [](const Verdict& v) {
    return !v.deviation.empty() && v.outcome == Outcome::kPass && !as_expected(v);
  });
  return fmt::format("{}: {} of {} ({}{}{})\n", ending, result.unexpected(), result.verdicts.size(), counts,
                     fixed == 0 ? "" : fmt::format("; {} listed failure{} now", fixed, fixed == 1 ? " passes" : "s pass"), stale);
}

std::string summary_text(const RunResult& result, const Shown& shown) {
  std::string text;
  if (!result.verdicts.empty()) text += counts_table(result, shown);
  text += counted(skips(result), "skipped", shown);
  text += counted(counts_by_rung(result), "determinism", shown);
  return text + causes_text(result, shown);
}

}  // namespace assay
