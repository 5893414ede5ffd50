#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "harness/core/expectation.h"
#include "harness/diagnosis/visibility.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

// The mutation scores of the case tables as a Markdown table: which input generators kill which mutants.

/// The only column of the table for ops whose mutants show on any data.
constexpr const char* kNoData = "any data";

/// Results of one mutant with one input generator: contract -> killed.
using Sightings = std::map<std::string, bool>;

int64_t showing(const Sightings& sightings) {
  return std::count_if(sightings.begin(), sightings.end(), [](const auto& one) { return one.second; });
}

/// "-": killed for no contract; "9": for all nine; "7/9": for seven of nine; empty: no contract has the mutant.
std::string cell(const Sightings& sightings) {
  if (sightings.empty()) return "";
  const int64_t shown = showing(sightings), all = int64_t(sightings.size());
  if (shown == 0) return "-";
  return shown == all ? std::to_string(all) : std::to_string(shown) + "/" + std::to_string(all);
}

/// "scale: max -> max" of "scale: max(1e-10) -> max(1/(512*M),keep)"
std::string kind_of(const std::string& fault) {
  std::string kind;
  int depth = 0;
  for (const char c : fault) {
    depth += c == '(';
    if (depth == 0 && c != '#' && !('0' <= c && c <= '9')) kind += c;
    depth -= c == ')';
  }
  return kind;
}

/// Escapes a text for a Markdown cell.
std::string quoted(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

class OpPower {
 public:
  OpPower(const Op& op, const std::vector<Case>& cases, const std::function<Power(const Case&)>& power) : name_(op.name) {
    std::set<std::string> data;
    for (const Case& one : cases) {
      if (one.op != op.name || !data.insert(one.data_id()).second) continue;
      const std::string fill = op.data_column.empty() ? kNoData : one.text(op.data_column), contract = one.text("contract");
      if (std::find(fills_.begin(), fills_.end(), fill) == fills_.end()) fills_.push_back(fill);
      const Power shown = power(one);
      std::set<std::string> blind(shown.blind_to.begin(), shown.blind_to.end());
      for (const std::string& seen : shown.seen_later) blind.erase(seen);
      const std::unique_ptr<const BoundCase> bound = op.bind(one), excerpt = bound->excerpt();
      for (const Hypothesis& mutant : (excerpt ? excerpt : bound)->mutants())
        if (!mutant.suspect) book(mutant, !blind.contains(mutant.name), fill, contract);
    }
  }

  std::string text() const {
    std::string text = "### " + name_ + "\n\n" + summary() + "\n\n| fault |";
    for (const std::string& fill : fills_) text += " " + fill + " |";
    text += "\n|---|";
    for (size_t i = 0; i < fills_.size(); ++i) text += "---|";
    text += "\n";
    for (const std::vector<std::string>& alike : rows()) {
      text.append("| ").append(quoted(alike.front()));
      if (alike.size() > 1) text.append(" and ").append(std::to_string(alike.size() - 1)).append(" like it");
      text += " |";
      for (const std::string& fill : fills_) text.append(cell(together(alike, fill))).append("|");  // no spaces: a third less
      text += "\n";
    }
    return text + equivalent_text();
  }

 private:
  void book(const Hypothesis& mutant, bool is_seen, const std::string& fill, const std::string& contract) {
    if (!mutant.equivalent.empty()) {
      equivalent_[{mutant.name, mutant.equivalent}].insert(contract);
      return;
    }
    if (!seen_.contains(mutant.name)) faults_.push_back(mutant.name);
    bool& shows = seen_[mutant.name][fill][contract];
    shows = shows || is_seen;
  }

  std::string summary() const {
    int64_t pairs = 0, told = 0;
    for (const auto& [fault, by_fill] : seen_) {
      Sightings any;
      for (const auto& [fill, sightings] : by_fill)
        for (const auto& [contract, shows] : sightings) any[contract] = any[contract] || shows;
      pairs += int64_t(any.size());
      told += showing(any);
    }
    return std::to_string(told) + " of " + std::to_string(pairs) +
           " pairs of contract and mutant are killed by some input generator.";
  }

  Sightings at(const std::string& fault, const std::string& fill) const {
    const auto& by_fill = seen_.at(fault);
    const auto found = by_fill.find(fill);
    return found == by_fill.end() ? Sightings() : found->second;
  }

  /// The results of several mutants with one input generator, by contract and mutant.
  Sightings together(const std::vector<std::string>& faults, const std::string& fill) const {
    Sightings sum;
    for (const std::string& fault : faults)
      for (const auto& [contract, shows] : at(fault, fill)) sum[contract + ": " + fault] = shows;
    return sum;
  }

  /// Groups mutants of one kind that have the same results for all input generators.
  std::vector<std::vector<std::string>> rows() const {
    std::map<std::string, size_t> row_of;
    std::vector<std::vector<std::string>> rows;
    for (const std::string& fault : faults_) {
      std::string key = kind_of(fault);
      for (const std::string& fill : fills_) {
        const Sightings sightings = at(fault, fill);
        const int64_t shown = showing(sightings);
        key += sightings.empty() ? ' ' : shown == 0 ? '-' : shown == int64_t(sightings.size()) ? 'a' : 's';
      }
      const auto [place, is_new] = row_of.try_emplace(key, rows.size());
      if (is_new) rows.emplace_back();
      rows[place->second].push_back(fault);
    }
    return rows;
  }

  std::string equivalent_text() const {
    if (equivalent_.empty()) return "";
    std::string text =
        "\nEquivalent mutants: no data can distinguish them from the contract (`equivalent.csv`; `suites_test` tries all quick "
        "data).\n\n";
    text += "| mutant | contracts | why |\n|---|---|---|\n";
    for (const auto& [fault, contracts] : equivalent_) {
      std::string list;
      for (const std::string& contract : contracts) list += (list.empty() ? "" : ", ") + contract;
      text.append("| ")
          .append(quoted(fault.first))
          .append(" | ")
          .append(list)
          .append(" | ")
          .append(quoted(fault.second))
          .append(" |\n");
    }
    return text;
  }

  std::string name_;
  std::vector<std::string> fills_, faults_;
  std::map<std::string, std::map<std::string, Sightings>> seen_;  ///< mutant -> input generator -> results
  std::map<std::pair<std::string, std::string>, std::set<std::string>> equivalent_;
};

}  // namespace

std::string power_table(std::span<const Op> ops, const std::vector<Case>& cases, const std::function<Power(const Case&)>& power) {
  std::string text;
  for (const Op& op : ops) {
    const bool has_cases = std::any_of(cases.begin(), cases.end(), [&](const Case& one) { return one.op == op.name; });
    if (!has_cases) continue;
    if (!text.empty()) text += "\n";
    text += OpPower(op, cases, power).text();
  }
  return text;
}

namespace {

// How much a contract leaves open on realistic shapes: a check that accepts more than necessary is weak.

/// Widths of the accepted intervals of one output under one contract.
struct Widths {
  int64_t elements = 0, single = 0;
  std::vector<int64_t> open;  ///< for each interval with several codes: the number of codes beyond the first

  void add(const WholePart& whole) {
    for (int64_t i = 0; i < whole.part.elements(); ++i) {
      ++elements;
      const Interval accepted = whole.at(i);
      if (accepted.any()) continue;
      const int64_t more = int64_t(accepted.high) - accepted.low;
      more == 0 ? void(++single) : open.push_back(more);
    }
  }

  double share() const { return elements == 0 ? 1 : double(single) / double(elements); }

  /// Median over all elements; an element with one code, or with an undefined value, counts as 0.
  int64_t median() {
    if (int64_t(open.size()) * 2 <= elements) return 0;
    const auto middle = open.begin() + std::ptrdiff_t(open.size()) - std::ptrdiff_t(elements / 2) - 1;
    std::nth_element(open.begin(), middle, open.end());
    return *middle;
  }
  int64_t widest() const { return open.empty() ? 0 : *std::max_element(open.begin(), open.end()); }
};

/// Rounds down, so that 99.9997 % is never printed as 100 %.
std::string percent(double share) { return fmt::format("{:.3f} %", std::floor(share * 100000) / 1000); }

std::string row_of(const std::string& output, std::map<std::string, Widths>& contracts) {
  Widths all;
  for (const auto& [contract, widths] : contracts) {
    all.elements += widths.elements;
    all.single += widths.single;
  }
  const auto loosest = std::min_element(contracts.begin(), contracts.end(),
                                        [](const auto& a, const auto& b) { return a.second.share() < b.second.share(); });
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", output, contracts.size(), all.elements, percent(all.share()),
                     loosest->first, percent(loosest->second.share()), loosest->second.median(), loosest->second.widest());
}

}  // namespace

std::string sharpness_table(std::span<const Op> ops, const std::vector<Case>& cases) {
  std::string table =
      "| op, output | contracts | elements | one code | loosest contract | one code | median width | widest |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Op& op : ops) {
    std::map<std::string, std::map<std::string, Widths>> outputs;  // key: output and format; then contract
    std::set<std::string> data;
    for (const Case& one : cases) {
      if (one.op != op.name || !data.insert(one.data_id()).second) continue;
      const std::unique_ptr<const BoundCase> bound = op.bind(one), excerpt = bound->excerpt();
      const BoundCase& few = excerpt ? *excerpt : *bound;
      const Problem problem = few.problem();
      for (const WholePart& whole : computed(few.expect(problem, nullptr)))
        outputs[fmt::format("{}, {} {}", op.name, whole.part.label(), whole.part.format->name)][one.text("contract")].add(whole);
    }
    for (auto& [output, contracts] : outputs) table += row_of(output, contracts);
  }
  return table;
}

}  // namespace assay

namespace assay {
namespace {

bool declares(const Case& one, const std::string& mutant) {
  return std::any_of(one.blind_to.begin(), one.blind_to.end(), [&](const std::string& glob) { return glob_match(glob, mutant); });
}

bool misses(const Power& power, const std::string& mutant) {
  return std::find(power.blind_to.begin(), power.blind_to.end(), mutant) != power.blind_to.end();
}

std::vector<std::string> mutants_of(const BoundCase& bound, bool only_counted) {
  const std::unique_ptr<const BoundCase> excerpt = bound.excerpt();
  std::vector<std::string> names;
  for (const Hypothesis& hypothesis : (excerpt ? *excerpt : bound).mutants())
    if (!only_counted || (!hypothesis.suspect && hypothesis.equivalent.empty())) names.push_back(hypothesis.name);
  return names;
}

/// The verdicts of one kernel on cases of one contract of a user's table.
struct Group {
  const Verdict* first = nullptr;
  bool passed = false;
  std::vector<ScoredCase> scored{};
  std::set<std::string> data{};
};

/// The groups by op, contract and kernel.
std::map<std::tuple<std::string, std::string, std::string>, Group> groups_of(const std::vector<Case>& cases,
                                                                             const std::vector<Verdict>& verdicts) {
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases)
    if (is_of_own_table(one)) by_id[one.id] = &one;
  std::map<std::tuple<std::string, std::string, std::string>, Group> groups;
  for (const Verdict& verdict : verdicts) {
    const auto one = by_id.find(verdict.case_id);
    if (one == by_id.end() || verdict.power.faults == 0) continue;
    Group& group = groups[{verdict.op, verdict.contract, verdict.kernel}];
    if (group.first == nullptr) group.first = &verdict;
    group.passed |= verdict.outcome == Outcome::kPass;
    if (group.data.insert(one->second->data_id()).second) group.scored.push_back({one->second, &verdict.power});
  }
  return groups;
}

const Op& op_named(std::span<const Op> ops, const std::string& name) {
  return *std::find_if(ops.begin(), ops.end(), [&](const Op& one) { return one.name == name; });
}

/// "a; b; c; d and 5 more"
std::string first_of(const std::vector<std::string>& texts) {
  constexpr size_t kMost = 4;
  const auto end = texts.begin() + std::ptrdiff_t(std::min(kMost, texts.size()));
  return fmt::format("{}{}", fmt::join(texts.begin(), end, "; "),
                     texts.size() > kMost ? fmt::format(" and {} more", texts.size() - kMost) : "");
}

/// The verdict of a table: it has no outputs, and `of` names its kernel and contract.
Verdict verdict_of_table(const Verdict& of, const Case& first, const std::string& words) {
  Verdict verdict;
  verdict.case_id = of.op + "/" + of.contract;
  verdict.kernel = of.kernel, verdict.backend = of.backend;
  verdict.outcome = Outcome::kUntrusted;
  verdict.message = words;
  verdict.why = "the cases of a table expose every mutant of their contract together";
  verdict.origin = first.origin.file;
  verdict.repro = "assay run" + first.run_options + " --backend " + shell_word(of.backend);
  verdict.op = of.op, verdict.contract = of.contract;
  return verdict;
}

}  // namespace

bool is_of_own_table(const Case& one) { return one.tier == "own"; }

std::vector<std::string> counted_mutants(const BoundCase& bound) { return mutants_of(bound, true); }

std::vector<std::string> missed_by_all(const std::vector<ScoredCase>& cases,
                                       const std::function<std::vector<std::string>(const Case&)>& mutants_of) {
  std::vector<std::string> missed;  // in the order of the first case that misses them
  for (const ScoredCase& scored : cases)
    for (const std::string& mutant : scored.power->blind_to)
      if (std::find(missed.begin(), missed.end(), mutant) == missed.end()) missed.push_back(mutant);
  std::erase_if(missed, [&](const std::string& mutant) {
    return std::all_of(cases.begin(), cases.end(),
                       [&](const ScoredCase& scored) { return !misses(*scored.power, mutant) || declares(*scored.one, mutant); });
  });
  for (const ScoredCase& scored : cases) {
    if (missed.empty()) break;
    if (std::all_of(missed.begin(), missed.end(), [&](const std::string& mutant) { return misses(*scored.power, mutant); }))
      continue;
    const std::vector<std::string> all = mutants_of(*scored.one);
    std::erase_if(missed, [&](const std::string& mutant) {
      return !misses(*scored.power, mutant) && std::find(all.begin(), all.end(), mutant) != all.end();
    });
  }
  return missed;
}

std::string missed_words(size_t cases) {
  return cases == 1 ? "its only case does not expose" : fmt::format("none of its {} cases exposes", cases);
}

TableExcuses excuses_of(const Op& op, const std::vector<ScoredCase>& cases) {
  TableExcuses excuses{.op = op.name, .contract = cases.front().one->text("contract"), .mutants = {}, .excused = {}, .idle = {}};
  std::set<std::string> counted, known, exposed, undeclared, globs;
  for (const ScoredCase& scored : cases) {
    const std::unique_ptr<const BoundCase> bound = op.bind(*scored.one);
    for (const std::string& mutant : mutants_of(*bound, false)) known.insert(mutant);
    for (const std::string& mutant : counted_mutants(*bound)) {
      if (counted.insert(mutant).second) excuses.mutants.push_back(mutant);
      if (!misses(*scored.power, mutant))
        exposed.insert(mutant);
      else if (!declares(*scored.one, mutant))
        undeclared.insert(mutant);
    }
    for (const std::string& glob : scored.one->blind_to)
      if (globs.insert(glob).second) excuses.idle.push_back(glob);
  }
  for (const std::string& mutant : excuses.mutants)
    if (!exposed.contains(mutant) && !undeclared.contains(mutant)) excuses.excused.push_back(mutant);
  std::erase_if(excuses.idle, [&](const std::string& glob) {
    return std::any_of(known.begin(), known.end(), [&](const std::string& mutant) { return glob_match(glob, mutant); });
  });
  return excuses;
}

std::vector<TableExcuses> excuses_of_tables(std::span<const Op> ops, const std::vector<Case>& cases,
                                            const std::vector<Verdict>& verdicts) {
  std::vector<TableExcuses> all;
  for (const auto& [key, group] : groups_of(cases, verdicts)) {
    const auto& [op, contract, kernel] = key;
    const bool is_there =
        std::any_of(all.begin(), all.end(), [&](const TableExcuses& one) { return one.op == op && one.contract == contract; });
    if (!is_there) all.push_back(excuses_of(op_named(ops, op), group.scored));
  }
  return all;
}

std::string excuses_all_words(const TableExcuses& excuses) {
  return fmt::format("`blind_to` excuses all {} mutants: no mistake of a kernel would be detected", excuses.mutants.size());
}

std::string excused_words(const TableExcuses& excuses) {
  return fmt::format("{} of {} mutants of {}: {}", excuses.excused.size(), excuses.mutants.size(), excuses.contract,
                     first_of(excuses.excused));
}

std::string idle_globs_words(const TableExcuses& excuses) {
  return fmt::format("no mutant matches {} in `blind_to`", first_of(excuses.idle));
}

std::vector<Verdict> untrusted_tables(std::span<const Op> ops, const std::vector<Case>& cases,
                                      const std::vector<Verdict>& verdicts) {
  std::vector<Verdict> all;
  for (const auto& [key, group] : groups_of(cases, verdicts)) {
    if (!group.passed) continue;
    const Op& op = op_named(ops, std::get<0>(key));
    const std::vector<std::string> missed =
        missed_by_all(group.scored, [&](const Case& one) { return counted_mutants(*op.bind(one)); });
    std::string words;
    if (!missed.empty())
      words = fmt::format("{}: {}", missed_words(group.scored.size()), fmt::join(missed, "; "));
    else if (const TableExcuses excuses = excuses_of(op, group.scored); excuses.excuses_all())
      words = excuses_all_words(excuses);
    if (!words.empty()) all.push_back(verdict_of_table(*group.first, *group.scored.front().one, words));
  }
  return all;
}

}  // namespace assay
