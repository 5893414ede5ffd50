#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "harness/check/judge_tensors.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/programs.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/progress_report.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"
#include "reference/casts/cast_profile.h"
#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"
#include "suites/cast/cast_op.h"
#include "suites/registry.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Legend of the printed table of special values. SPECIALS.md has a legend of its own, outside of its generated section.
constexpr const char* kLegend =
    "Each column is a group of 32 bf16 numbers: first the numbers in its heading, then zeros. In column NaN all 32 are NaN.\n"
    "A cell has the form SCALE: CODES, in hex, with the codes of the numbers in the heading. SCALE is 1 if the scale is an "
    "input.\n"
    "S@Z is a scale and an int32 zero point. a/b means that every code from a to b is accepted, ? that every code is accepted, "
    "and\n"
    "nan that every NaN is accepted.\n";

/// The strongest evidence for a contract, as text: `ran` is stronger than `executed`, `read` and `inferred`.
std::string evidence_words(const ContractRow& row) {
  const std::vector<RowEvidence> evidence = rulebook().evidence.of(row);
  return evidence.empty() ? "none" : evidence.front().text();
}

/// Whether a device text such as "H200 sm_90, driver ..." or "gfx942 by assay_gcn 1" names this chip.
bool names_chip(const std::string& on, const std::string& chip) {
  for (size_t at = on.find(chip); at != std::string::npos; at = on.find(chip, at + 1)) {
    const auto is_part = [&](size_t i) {
      return i < on.size() && (std::isalnum(static_cast<unsigned char>(on[i])) != 0 || on[i] == '_');
    };
    if (!is_part(at + chip.size()) && (at == 0 || !is_part(at - 1))) return true;
  }
  return false;
}

/// Evidence for contracts of one chip: results on this chip count before results on other chips.
class ChipEvidence {
 public:
  explicit ChipEvidence(const std::string& chip) : chip_(chip) {}

  /// Adds a contract to the counts by its strongest evidence, and returns this evidence as text.
  std::string count(const ContractRow& row) {
    const std::vector<RowEvidence> all = rulebook().evidence.of(row);
    const auto here = std::find_if(all.begin(), all.end(),
                                   [&](const RowEvidence& one) { return one.has_outputs() && names_chip(one.on, chip_); });
    const RowEvidence* const best = here != all.end() ? &*here : all.empty() ? nullptr : &all.front();
    if (best == nullptr) return ++none_, "none";
    const bool is_here = here != all.end();
    switch (best->kind) {
      case EvidenceKind::kRan: ++(is_here ? ran_ : ran_elsewhere_); break;
      case EvidenceKind::kExecuted: ++(is_here ? executed_ : executed_elsewhere_); break;
      case EvidenceKind::kRead: ++read_; break;
      case EvidenceKind::kInferred: ++inferred_; break;
    }
    return best->text();
  }
  /// "of 419 contracts for gfx942: 0 ran on it, 99 were executed on the CPU; on other chips only: 209 ran, ..."
  std::string text() const {
    return fmt::format(
        "of {} contracts for {}: {} ran on it, {} were executed on the CPU; on other chips only: {} ran, {} were executed; "
        "{} were read, {} inferred, {} have no evidence",
        ran_ + executed_ + ran_elsewhere_ + executed_elsewhere_ + read_ + inferred_ + none_, chip_, ran_, executed_,
        ran_elsewhere_, executed_elsewhere_, read_, inferred_, none_);
  }

 private:
  std::string chip_;
  int64_t ran_ = 0, executed_ = 0, ran_elsewhere_ = 0, executed_elsewhere_ = 0, read_ = 0, inferred_ = 0, none_ = 0;
};

/// "packed scales (from v0.13.0)"
std::string with_releases(const ContractRow& row) {
  const std::string releases = releases_of(row);
  return row.text("why") + (releases.empty() ? "" : " (" + releases + ")");
}

/// Prints how many of the contracts that sm_90 or a CPU can run were run, and which chips the other contracts need.
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
  fmt::print(
      "of {1} contracts that sm_90 or a CPU can run, {0} ran ({2:.1f} %); of the others, {3} were executed on the CPU, the rest "
      "need {4}\n",
      ran, can, 100.0 * double(ran) / double(can), executed, others.empty() ? "none" : others);
}

/// The op of each contract that a case names; contracts that are only a stage of other contracts have none.
std::map<std::string, std::string> ops_of_contracts(const std::vector<Case>& cases) {
  std::map<std::string, std::string> ops;
  for (const Case& one : cases) ops.try_emplace(one.text("contract"), one.op);
  return ops;
}

std::string in_lower_case(std::string text) {
  for (char& c : text) c = char(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Whether the id or a cell contains the text; ignores case.
bool has_text(const ContractRow& row, const std::string& text) {
  const std::string wanted = in_lower_case(text);
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [&](const auto& cell) { return in_lower_case(cell.second.text).find(wanted) != std::string::npos; });
}

/// Chips with tensor core instructions in the tables.
std::set<std::string> known_chips() {
  std::set<std::string> chips;
  for (const UnitRow& row : rulebook().units.rows()) chips.insert(chip_of_unit(row.id));
  return chips;
}

/// An id without its release: "aiter.rms_norm@v0.1.17" is "aiter.rms_norm".
std::string without_release(const std::string& id) { return id.substr(0, id.find('@')); }

/// Endings of names of contracts that apply to this chip only: ".sm_100" and "_sm100"; for gfx942 also "_fnuz".
std::vector<std::string> endings_of(const std::string& chip) {
  std::string joined = chip;
  std::erase(joined, '_');
  std::vector<std::string> endings = {"." + chip, "_" + joined};
  if (chip == "gfx942") endings.push_back("_fnuz");
  return endings;
}

/// The chip at the end of an id. Empty if there is none.
std::string chip_named_by(const std::string& id, const std::set<std::string>& chips) {
  const std::string name = without_release(id);
  for (const std::string& chip : chips) {
    const std::vector<std::string> endings = endings_of(chip);
    const bool ends =
        std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) { return name.ends_with(ending); });
    if (ends || id.ends_with("." + chip)) return chip;
  }
  return "";
}

/// Whether a contract can apply to a chip. It cannot if its id names another chip, or if this chip has a contract of its own, with the same name and
/// the chip's ending. Nor can it if elsewhere.csv says that the contract needs a chip of the other vendor, or a newer chip of NVIDIA.
class ChipFilter {
 public:
  explicit ChipFilter(const std::string& chip) : chip_(chip), chips_(known_chips()) {
    if (!chips_.contains(chip))
      throw UsageError("--arch " + chip + ": expected a chip that has tensor core instructions in the tables" +
                       did_you_mean(chip, std::vector<std::string>(chips_.begin(), chips_.end())));
    for (const ContractRow& row : rulebook().contracts.rows())
      if (chip_named_by(row.id, chips_) == chip) of_chip_.insert(without_release(row.id));
  }

  bool admits(const std::string& id) const {
    if (const std::string named = chip_named_by(id, chips_); !named.empty()) return named == chip_;
    for (const std::string& ending : endings_of(chip_))
      if (of_chip_.contains(without_release(id) + ending)) return false;
    const std::string needs = rulebook().elsewhere.needs(id);
    if (!chips_.contains(needs)) return true;
    return is_amd(needs) == is_amd(chip_) && (is_amd(chip_) || number(needs) <= number(chip_));
  }

 private:
  static bool is_amd(const std::string& chip) { return chip.starts_with("gfx"); }
  static int number(const std::string& sm) { return std::atoi(sm.c_str() + sm.find('_') + 1); }

  std::string chip_;
  std::set<std::string> chips_, of_chip_;
};

/// If no contract has the vendor of --vendor, a text that lists all vendors; otherwise empty.
std::string vendor_hint(const ContractsArguments& arguments, const std::vector<std::string>& ids) {
  std::set<std::string> vendors;
  for (const std::string& id : ids) vendors.insert(id.substr(0, id.find('.')));
  if (arguments.vendor.empty() || vendors.contains(arguments.vendor)) return "";
  return fmt::format(": no vendor '{}'; there are {}", arguments.vendor, fmt::join(vendors, ", "));
}

void list(const ContractsArguments& arguments, const std::vector<Case>& cases) {
  if (!arguments.release.empty() && !is_release(arguments.release))
    throw UsageError("--release '" + arguments.release + "': expected a release such as 0.33.0, or a date such as 2026-06-18");
  const std::map<std::string, std::string> ops = ops_of_contracts(cases);
  const bool with_evidence = arguments.evidence;
  if (!arguments.op.empty()) (void)arguments.suites.ops->find(arguments.op);
  std::vector<std::pair<const ContractRow*, std::string>> rows;
  size_t width = 0, op_width = 0, undated = 0;
  std::vector<std::string> ids;
  std::optional<ChipFilter> of_chip;
  if (!arguments.arch.empty()) of_chip.emplace(arguments.arch);
  for (const ContractRow& row : rulebook().contracts.rows()) {
    ids.push_back(row.id);
    if (of_chip && !of_chip->admits(row.id)) continue;
    const auto op = ops.find(row.id);
    const std::string name = op == ops.end() ? "-" : op->second;
    if (!arguments.op.empty() && name != arguments.op) continue;
    const bool named = std::any_of(arguments.ids.begin(), arguments.ids.end(), [&](const std::string& glob) {
      return glob_match(glob, row.id) || row.id.starts_with(glob + ".");  // a vendor's name selects all its contracts
    });
    if (!arguments.ids.empty() && !named) continue;
    if (!arguments.vendor.empty() && !row.id.starts_with(arguments.vendor + ".")) continue;
    if (!arguments.search.empty() && !has_text(row, arguments.search)) continue;
    if (!arguments.release.empty()) {
      const std::optional<bool> in = in_release(row, arguments.release);
      undated += !in.has_value();
      if (!in.value_or(false)) continue;
    }
    rows.push_back({&row, name});
    width = std::max(width, row.id.size()), op_width = std::max(op_width, name.size());
  }
  const std::string unknown = undated == 0 ? ""
                                           : fmt::format("not listed: {} contract{} whose row{} no release",
                                                         undated, undated == 1 ? "" : "s", undated == 1 ? " names" : "s name");
  if (rows.empty() && !arguments.release.empty())
    throw UsageError(fmt::format("no selected contract of {} is in release {}{}", arguments.vendor, arguments.release,
                                 unknown.empty() ? "" : "; " + unknown));
  if (rows.empty())
    throw UsageError("no contract is selected" +
                     (arguments.ids.empty() ? vendor_hint(arguments, ids) : did_you_mean(arguments.ids.front(), ids)));
  ChipEvidence of_this_chip(arguments.arch);
  for (const auto& [row, op] : rows) {
    const std::string words = !with_evidence ? with_releases(*row) : of_chip ? of_this_chip.count(*row) : evidence_words(*row);
    fmt::print("{:<{}}  {:<{}}  {}\n", row->id, width, op, op_width, printable(words));
  }
  if (!unknown.empty()) fmt::print("{}\n", unknown);
  if (with_evidence && of_chip) fmt::print("{}\n", of_this_chip.text());
  if (!with_evidence || rows.size() < ids.size()) return;
  std::map<EvidenceKind, int64_t> known;
  for (const ContractRow& row : rulebook().contracts.rows())
    if (const std::vector<RowEvidence> evidence = rulebook().evidence.of(row); !evidence.empty()) ++known[evidence.front().kind];
  fmt::print(
      "of {} contracts in the tables: {} ran, {} executed, {} read, {} inferred (a report counts only the contracts of its "
      "verdicts)\n",
      ids.size(), known[EvidenceKind::kRan], known[EvidenceKind::kExecuted], known[EvidenceKind::kRead],
      known[EvidenceKind::kInferred]);
  print_reach();
}

void show(const std::string& id) {
  const ContractRow& row = rulebook().contracts.find(id);
  const std::string within = std::filesystem::proximate(row.file, data_root()).string();
  fmt::print("{}   {}:{}\n", printable(row.id), printable(within.starts_with("..") ? row.file : within), row.line);
  for (const std::string& line : contract_lines(id)) fmt::print("  {}\n", printable(line));
  if (const std::string releases = releases_of(row); !releases.empty())
    fmt::print("  {:<8} {}\n", "releases", printable(releases));
  for (const auto& [column, cell] : row.cells)
    if (column != "id" && column != "since" && column != "until" && !cell.text.empty())
      fmt::print("  {:<8} {}\n", column, printable(cell.text));
  for (const RowEvidence& evidence : rulebook().evidence.of(row))
    fmt::print("  {:<8} {}\n", "evidence", printable(evidence.text()));
}

void diff_casts(const ContractRow& a, const ContractRow& b) {
  for (const std::string& line : difference_lines(read_cast(a), read_cast(b))) fmt::print("  {}\n", line);
}

/// Prints the cells in which two contracts differ, except columns that do not affect results. Returns whether any cell differs.
bool cell_differences(const ContractRow& a, const ContractRow& b) {
  const std::vector<CellDifference> all = differing_cells(a, b);
  for (const CellDifference& one : all) fmt::print("  {:<8} {}\n  {:<8} {}\n", one.column, printable(one.one), "", printable(one.other));
  return !all.empty();
}

/// The first `most` items, and how many more there are.
std::string some_of(const std::vector<std::string>& items, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(most, items.size()); ++i) text += (i == 0 ? "" : ", ") + items[i];
  return items.size() > most ? fmt::format("{} and {} more", text, items.size() - most) : text;
}

bool is_short(const Case& one) { return one.tier == "quick" || one.tier == "own"; }

/// Why no case of `a` can be checked under `b`: the number of cases, and the error of the first. Empty if `a` has no case.
std::string why_none_fits(const OpRegistry& ops, const std::string& a, const std::string& b, const std::vector<Case>& cases) {
  size_t count = 0;
  std::string first;
  for (const Case& one : cases) {
    if (!is_short(one) || one.text("contract") != a) continue;
    ++count;
    if (!first.empty()) continue;
    try {
      (void)ops.find(one.op).bind(with_cells(one, {{"contract", b}}));
    } catch (const TableError& error) {
      first = error.what();
    }
  }
  return count == 0
             ? ""
             : fmt::format("  none of {} quick cases of {} can be checked under {}; the first error: {}\n", count, a, b, first);
}

void diff(const OpRegistry& ops, const std::string& a, const std::string& b, const std::vector<Case>& cases) {
  const ContractTables& tables = rulebook().contracts;
  const Flow &flow = *tables.find(a).flow, &other = *tables.find(b).flow;
  const bool casts = &flow == &cast_flow() && &other == &cast_flow();
  std::vector<Separation> found = casts ? std::vector<Separation>() : separate(ops.all(), cases, a, b);
  if (found.empty() && !casts) found = separate(ops.all(), cases, b, a);  // if no case of `a` fits `b`, tries the cases of `b`
  if (found.empty() && &flow != &other)
    throw UsageError(
        fmt::format("contracts diff: '{}' is of kind {}, '{}' of kind {}: no case of one can be checked under the other", a,
                    flow.name, b, other.name));
  fmt::print("{}\n{}\n", a, b);
  if (!cell_differences(tables.find(a), tables.find(b)) && &flow == &other) {
    fmt::print("equal: the rows differ at most in id, since, until, source and why\n");
    return;
  }
  if (casts) return diff_casts(tables.find(a), tables.find(b));
  if (found.empty()) {
    const std::string reasons = why_none_fits(ops, a, b, cases) + why_none_fits(ops, b, a, cases);
    fmt::print("the outputs of the two contracts were not compared\n{}",
               reasons.empty() ? "  no quick case names either contract; give a case table of your own with --cases FILE.csv\n"
                               : reasons);
  }
  std::vector<std::string> same;
  for (const Separation& s : found) {
    if (s.witness.empty()) {
      same.push_back(s.data);
      continue;
    }
    fmt::print("  {}\n", s.data);
    for (const SeparatedTensor& t : s.tensors)
      if (t.outside > 0)
        fmt::print("    {:<9} {} of {} elements differ, by up to {} ulp ({:.3g} % of the larger value)\n", t.name, t.outside, t.elements, t.worst_ulps,
                   100 * t.worst_part);
    fmt::print("    first     {}\n", s.witness);
  }
  if (!same.empty())
    fmt::print("  no difference found on {} of {} data sets: {}\n", same.size(), found.size(), some_of(same, 4));
}

void need(const ContractsArguments& arguments, size_t count) {
  if (arguments.ids.size() != count)
    throw UsageError(fmt::format("contracts {} takes {} contract id{}", arguments.action, count, count == 1 ? "" : "s"));
}

}  // namespace

int contracts_verb(const ContractsArguments& arguments) {
  if (arguments.action == "check") return check_contracts(arguments);
  Suites shipped = arguments.suites;
  shipped.tables.cases.clear();
  const bool needs_cases = arguments.action == "list" || arguments.action == "diff";
  std::vector<Case> cases;
  if (needs_cases) {
    cases = open_cases(shipped);
  } else {
    open_contracts(shipped);
  }
  if (!arguments.suites.tables.cases.empty()) {
    Suites own = arguments.suites;
    own.tables.op = arguments.op;
    for (Case& one : open_cases(own)) cases.push_back(std::move(one));
  }
  if (arguments.action == "specials") {
    if (arguments.write.empty() && arguments.check.empty()) fmt::print("{}\n", kLegend);
    return put_table("assay contracts specials", special_table, arguments.write, arguments.check);
  }
  if (arguments.action == "list") list(arguments, cases);
  if (arguments.action == "show") {
    if (arguments.ids.empty()) need(arguments, 1);
    for (size_t i = 0; i < arguments.ids.size(); ++i) {
      if (i > 0) fmt::print("\n");
      show(arguments.ids[i]);
    }
  }
  if (arguments.action == "diff") need(arguments, 2), diff(*arguments.suites.ops, arguments.ids[0], arguments.ids[1], cases);
  return kAllAsExpected;
}

// assay contracts match: finds the contracts that a kernel's outputs obey; these may be others than the kernel advertises.
namespace {

/// A kernel that hangs in this number of consecutive cases is not called again.
constexpr int kMostHangs = 2;

/// Result of the check of a kernel's outputs against one contract.
struct Score {
  int64_t cases = 0, violated = 0, elements = 0;
  std::string first;  ///< the first case whose outputs violate the contract
};

/// The outputs of one kernel, called under one contract that it advertises, checked against all contracts.
struct Tally {
  std::map<std::string, Score> scores;
  ProgramTally programs;
  std::map<std::string, int64_t> silent;   ///< number of cases without outputs, by reason
  std::map<std::string, int64_t> refused;  ///< number of cases that the library refused, by its message
  int64_t cases = 0, answered = 0;
  bool device_lost = false;

  int64_t unseen() const {
    int64_t all = 0;
    for (const auto& [reason, count] : silent) all += count;
    return all;
  }
};

/// The case under another contract if that contract has the same tensors; otherwise null.
std::unique_ptr<const BoundCase> comparable(const Op& op, const Case& one, const Problem& problem, const std::string& contract) {
  std::unique_ptr<const BoundCase> other = under_contract(op, one, contract);
  const bool same = other && (contract == one.text("contract") || judges_call(*other, problem));
  return same ? std::move(other) : nullptr;
}

void judge_under_all(const Op& op, const Case& one, const Problem& problem, const CallResult& result, Tally& tally) {
  for (const std::string& contract : rulebook().contract_ids()) {
    const std::unique_ptr<const BoundCase> other = comparable(op, one, problem, contract);
    if (!other) continue;
    Verdict verdict = blank_verdict(one, "", "");
    judge_outputs(*other, problem, result, verdict);
    Score& score = tally.scores[contract];
    ++score.cases;
    score.elements += elements_outside(verdict);
    if (verdict.outcome == Outcome::kPass) continue;
    if (score.violated++ == 0) score.first = one.id;
  }
}

Tally tally_of(const Op& op, const std::vector<const Case*>& cases, const KernelOffer& kernel, const std::string& claimed,
               const Backend& backend) {
  ProgressReport progress(cases.size());
  Tally tally;
  int hangs = 0;
  for (const Case* one : cases) {
    ++tally.cases;
    progress.step(kernel.name);
    if (ended_by() != nullptr) {
      ++tally.silent[std::string("not called: ended by ") + ended_by()];
      continue;
    }
    if (hangs == kMostHangs) {
      ++tally.silent[fmt::format("not called: the kernel hung {} times in a row", kMostHangs)];
      continue;
    }
    const std::unique_ptr<const BoundCase> bound = op.bind(*one);
    const Problem problem = bound->problem();
    CallResult result = backend.call({op.name, claimed, kernel.name, &problem, 1});
    result.said = {};  // the variant that the library named belongs to `claimed`; other contracts have other variants
    hangs = result.status == CallStatus::kBroken && result.message.starts_with("hung") ? hangs + 1 : 0;
    tally.device_lost |= result.status == CallStatus::kDeviceLost;
    if (result.status == CallStatus::kUnsupported) {
      ++tally.refused[result.message];
    } else if (result.status != CallStatus::kOk) {
      ++tally.silent[result.message];
    } else {
      ++tally.answered;
      judge_under_all(op, *one, problem, result, tally);
      if (const Expectation programs = bound->programs(problem); !programs.any_of.empty())
        tally.programs.add(programs_that_made(programs, result.outputs), one->id);
    }
  }
  progress.clear();
  return tally;
}

void print(const std::string& title, const Op& op, const Tally& tally) {
  fmt::print("{}\n", title);
  std::vector<std::pair<std::string, Score>> ranked(tally.scores.begin(), tally.scores.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {  // at equal scores, the newest release first
    return std::tuple(a.second.violated > 0, a.second.elements, !is_current_contract(a.first)) <
           std::tuple(b.second.violated > 0, b.second.elements, !is_current_contract(b.first));
  });
  const int64_t unseen = tally.unseen();
  for (const auto& [contract, score] : ranked) {
    if (score.violated > 0) {
      fmt::print("  not       {:<32} {} of {} cases fail, {} elements are wrong; first {}{}\n", contract, score.violated,
                 score.cases, score.elements, score.first, in_releases(contract));
    } else if (unseen > 0) {
      fmt::print("  perhaps   {:<32} obeyed in {} cases; the kernel returned no outputs in {} cases{}\n", contract, score.cases,
                 unseen, in_releases(contract));
    } else {
      fmt::print("  obeys     {:<32} in all {} cases{}\n", contract, score.cases, in_releases(contract));
    }
  }
  for (const std::string& line : tally.programs.lines()) fmt::print("  {}\n", line);
  if (tally.programs.unexplained() && !op.untried.empty()) fmt::print("  not tried {}\n", op.untried);
  for (const auto& [reason, count] : tally.silent)
    fmt::print("  no answer {:>5} of {} cases: {}\n", count, tally.cases, printable(reason));
  for (const auto& [reason, count] : tally.refused)
    fmt::print("  skipped   {:>5} of {} cases: {}\n", count, tally.cases, printable(reason));
}

}  // namespace

int match_verb(const ContractsArguments& arguments) {
  if (!arguments.ids.empty()) return match_dump(arguments);
  if (arguments.op.empty()) throw UsageError("contracts match: expected --op OP, or files with dumped tensors");
  Suites suites = arguments.suites;
  if (!suites.tables.cases.empty()) suites.tables.op = arguments.op;
  const std::vector<Case> all = open_cases_for(suites, {.suites = {arguments.op}});
  const Op& op = arguments.suites.ops->find(arguments.op);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  const bool once = ignores_warp(backend.library);
  end_on_signals();
  int64_t kernels = 0, answered = 0, unseen = 0;
  bool device_lost = false;
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (kernel.op != op.name || !glob_match(arguments.kernel, kernel.name)) continue;
    ++kernels;
    for (const std::string& claimed : kernel.contracts) {
      std::vector<const Case*> cases;
      std::set<std::string> seen;
      for (const Case& one : all) {
        const bool in_tier = one.tier == "quick" || one.tier == "own";
        if (one.op != op.name || !in_tier || one.text("contract") != claimed || !why_not_offered(kernel, one).empty()) continue;
        if (!arguments.cases.empty() && std::none_of(arguments.cases.begin(), arguments.cases.end(),
                                                     [&](const std::string& glob) { return glob_match(glob, one.id); }))
          continue;
        if (!once || seen.insert(one.data_id()).second) cases.push_back(&one);
      }
      if (cases.empty()) continue;
      const Tally tally = tally_of(op, cases, kernel, claimed, backend);
      print(kernel.name + " called as " + claimed, op, tally);
      answered += tally.answered, unseen += tally.unseen();
      device_lost |= tally.device_lost;
    }
  }
  if (kernels == 0)
    throw UsageError("back end " + arguments.backend + " offers no kernel " + arguments.kernel + " of op " + op.name);
  if (ended_by() != nullptr) return exit_code_of_ending();
  if (device_lost) return kDeviceLost;
  if (unseen > 0) {
    fmt::print("NOT ALL SEEN: {} of {} cases returned no outputs\n", unseen, unseen + answered);
    return kUnexpected;
  }
  if (answered == 0) {
    fmt::print("NOTHING RAN: the library returned outputs for no selected case of op {}{}\n", op.name,
               suites.tables.cases.empty() ? "; for a contract of your own, add its cases: --cases FILE.csv" : "");
    return kUsageOrNothingRan;
  }
  return kAllAsExpected;
}

// assay contracts match FILE...: finds the contracts that a user's tensors obey, and the algorithm that made a GEMM.
namespace {

std::vector<const Op*> ops_with_dumps(const OpRegistry& registry, const std::string& only) {
  std::vector<const Op*> ops;
  for (const Op& op : registry.all())
    if (op.case_of_dump && (only.empty() || op.name == only)) ops.push_back(&op);
  if (ops.empty())
    throw UsageError("dumps of op " + registry.find(only).name + " cannot be checked; record its calls with assay run --record");
  return ops;
}

}  // namespace

int match_dump(const ContractsArguments& arguments) {
  open_contracts(arguments.suites);
  const std::map<std::string, std::string> parameters = named_values("--param", arguments.parameters);
  const std::vector<const Op*> ops = ops_with_dumps(*arguments.suites.ops, arguments.op);
  const DumpedFiles files = gather({arguments.ids, arguments.tensors}, ops);
  std::optional<ProgressReport> progress;
  const MatchedContracts matched = match_tensors(
      ops, files.roles, parameters, arguments.layout,
      {[](size_t rows, const std::vector<std::string>& left) {
         fmt::print("a sample of {} rows rules out {}\n", rows,
                    left.empty() ? "all contracts" : fmt::format("every contract except {}", fmt::join(left, ", ")));
         std::fflush(stdout);
       },
       [&](size_t at, size_t of, const std::string& contract) {
         if (!progress) progress.emplace(of, "contracts compared on all rows");
         progress->at(at, contract);
       }});
  progress.reset();
  fmt::print("{}", match_text(matched));
  if (!matched.asked.empty()) {
    const bool obeyed =
        std::any_of(matched.asked.begin(), matched.asked.end(), [](const MatchedContract& one) { return one.obeys(); });
    return obeyed ? kAllAsExpected : kUnexpected;
  }
  size_t lack = 0;
  for (const auto& [reason, contracts] : matched.reasons)
    if (reason.find("needs --param") != std::string::npos) lack += contracts.size();
  const std::string of_op = arguments.op.empty() ? "" : " of op " + arguments.op;
  if (lack > 0)
    fmt::print(
        "NOTHING COMPARED: {} contracts{} need a parameter that does not follow from the tensors; set it with --param, as the "
        "lines above say\n",
        lack, of_op);
  else
    fmt::print("NOTHING COMPARED: no contract{} takes tensors of these names, shapes and types; the reasons are above\n", of_op);
  return kUsageOrNothingRan;
}

}  // namespace assay
