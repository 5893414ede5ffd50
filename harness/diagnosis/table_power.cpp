#include "harness/diagnosis/visibility.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "harness/core/expectation.h"
#include "harness/text/messages.h"

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

/// By op, contract and kernel.
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
      if (!misses(*scored.power, mutant)) exposed.insert(mutant);
      else if (!declares(*scored.one, mutant)) undeclared.insert(mutant);
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
  return fmt::format("`blind_to` excuses all {} mutants: no mistake of a kernel would be seen", excuses.mutants.size());
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
    if (!missed.empty()) words = fmt::format("{}: {}", missed_words(group.scored.size()), fmt::join(missed, "; "));
    else if (const TableExcuses excuses = excuses_of(op, group.scored); excuses.excuses_all()) words = excuses_all_words(excuses);
    if (!words.empty()) all.push_back(verdict_of_table(*group.first, *group.scored.front().one, words));
  }
  return all;
}

}  // namespace assay
