#include "harness/diagnosis/table_power.h"

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

bool misses(const Power& power, const std::string& mutant) { return std::find(power.blind_to.begin(), power.blind_to.end(), mutant) != power.blind_to.end(); }

/// The verdict of a table: it has no outputs, and `of` names its kernel and contract.
Verdict verdict_of_table(const Verdict& of, const Case& first, size_t cases, const std::vector<std::string>& missed) {
  Verdict verdict;
  verdict.case_id = of.op + "/" + of.contract;
  verdict.kernel = of.kernel, verdict.backend = of.backend;
  verdict.outcome = Outcome::kUntrusted;
  verdict.message = fmt::format("{}: {}", missed_words(cases), fmt::join(missed, "; "));
  verdict.why = "the cases of a table expose every mutant of their contract together";
  verdict.origin = first.origin.file;
  verdict.repro = "assay run" + first.run_options + " --backend " + shell_word(of.backend);
  verdict.op = of.op, verdict.contract = of.contract;
  return verdict;
}

}  // namespace

bool is_of_own_table(const Case& one) { return one.tier == "own"; }

std::vector<std::string> counted_mutants(const BoundCase& bound) {
  const std::unique_ptr<const BoundCase> excerpt = bound.excerpt();
  std::vector<std::string> names;
  for (const Hypothesis& hypothesis : (excerpt ? *excerpt : bound).mutants())
    if (!hypothesis.suspect && hypothesis.equivalent.empty()) names.push_back(hypothesis.name);
  return names;
}

std::vector<std::string> missed_by_all(const std::vector<ScoredCase>& cases, const std::function<std::vector<std::string>(const Case&)>& mutants_of) {
  std::vector<std::string> missed;  // in the order of the first case that misses them
  for (const ScoredCase& scored : cases)
    for (const std::string& mutant : scored.power->blind_to)
      if (std::find(missed.begin(), missed.end(), mutant) == missed.end()) missed.push_back(mutant);
  std::erase_if(missed, [&](const std::string& mutant) {
    return std::all_of(cases.begin(), cases.end(), [&](const ScoredCase& scored) { return !misses(*scored.power, mutant) || declares(*scored.one, mutant); });
  });
  for (const ScoredCase& scored : cases) {
    if (missed.empty()) break;
    if (std::all_of(missed.begin(), missed.end(), [&](const std::string& mutant) { return misses(*scored.power, mutant); })) continue;
    const std::vector<std::string> all = mutants_of(*scored.one);
    std::erase_if(missed, [&](const std::string& mutant) { return !misses(*scored.power, mutant) && std::find(all.begin(), all.end(), mutant) != all.end(); });
  }
  return missed;
}

std::string missed_words(size_t cases) { return cases == 1 ? "its only case does not expose" : fmt::format("none of its {} cases exposes", cases); }

std::vector<Verdict> untrusted_tables(std::span<const Op> ops, const std::vector<Case>& cases, const std::vector<Verdict>& verdicts) {
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases)
    if (is_of_own_table(one)) by_id[one.id] = &one;
  struct Group {
    const Verdict* first = nullptr;
    bool passed = false;
    std::vector<ScoredCase> scored;
    std::set<std::string> data;
  };
  std::map<std::tuple<std::string, std::string, std::string>, Group> groups;
  for (const Verdict& verdict : verdicts) {
    const auto one = by_id.find(verdict.case_id);
    if (one == by_id.end() || verdict.power.faults == 0) continue;
    Group& group = groups[{verdict.op, verdict.contract, verdict.kernel}];
    if (group.first == nullptr) group.first = &verdict;
    group.passed |= verdict.outcome == Outcome::kPass;
    if (group.data.insert(one->second->data_id()).second) group.scored.push_back({one->second, &verdict.power});
  }
  std::vector<Verdict> all;
  for (const auto& [key, group] : groups) {
    if (!group.passed) continue;
    const auto op = std::find_if(ops.begin(), ops.end(), [&](const Op& one) { return one.name == std::get<0>(key); });
    const std::vector<std::string> missed = missed_by_all(group.scored, [&](const Case& one) { return counted_mutants(*op->bind(one)); });
    if (!missed.empty()) all.push_back(verdict_of_table(*group.first, *group.scored.front().one, group.scored.size(), missed));
  }
  return all;
}

}  // namespace assay
