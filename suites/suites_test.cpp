// Checks what the case tables declare (blind_to, unseen.csv) against the reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "harness/core/cases.h"
#include "harness/diagnosis/visibility.h"
#include "harness/text/messages.h"
#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "reference/table/table.h"
#include "suites/catches/diagnosis_scores.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Glob of the contracts to test: the environment variable ASSAY_CONTRACT; if it is not set, all.
std::string wanted_contracts() {
  const char* const glob = std::getenv("ASSAY_CONTRACT");
  return glob ? glob : "*";
}

bool some_contracts_are_left_out() { return one_in_of_environment() > 1 || wanted_contracts() != "*"; }

/// The quick cases of all contracts, or of those that ASSAY_SAMPLE and ASSAY_CONTRACT select.
const std::vector<Case>& quick_cases() {
  static const std::vector<Case> cases = [] {
    open_rulebook(ASSAY_SOURCE_DIR);
    std::vector<Case> all = select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR),
                                         {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}});
    std::erase_if(all, [](const Case& c) {
      return c.text("warp") != "32" || !in_sample(c.text("contract"), one_in_of_environment()) ||  // both sizes share inputs
             !glob_match(wanted_contracts(), c.text("contract"));
    });
    return all;
  }();
  return cases;
}

/// For each case id: which mutants the inputs of the case kill.
const std::map<std::string, std::vector<Visibility>>& seen_by_case() {
  static const auto seen = [] {
    std::map<std::string, std::vector<Visibility>> all;
    for (const Case& c : quick_cases()) all[c.id] = visibilities(*shipped_ops().find(c.op).bind(c));
    return all;
  }();
  return seen;
}

std::set<std::string> undeclared(const Case& c, const std::vector<std::string>& declared) {
  std::set<std::string> faults;
  for (const Visibility& v : seen_by_case().at(c.id)) {
    if (!v.equivalent.empty() || v.visible()) continue;
    const bool known =
        std::any_of(declared.begin(), declared.end(), [&](const std::string& glob) { return glob_match(glob, v.fault); });
    if (!known) faults.insert(v.fault);
  }
  return faults;
}

TEST(Suites, EveryCaseDeclaresWhatItCannotSee) {
  for (const Case& c : quick_cases()) EXPECT_EQ(undeclared(c, c.blind_to), std::set<std::string>()) << c.id;
}

TEST(Suites, ACaseThatDeclaresNothingIsFoundBlind) {
  if (wanted_contracts() != "*") GTEST_SKIP() << "the share is that of all contracts";
  size_t blind = 0;
  for (const Case& c : quick_cases()) blind += !undeclared(c, {}).empty();
  EXPECT_GT(blind, quick_cases().size() / 2);
}

/// power_of() stops at the first element that kills a mutant; visibilities() counts all such elements. Both must name the same
/// survivors. For each contract, one case that does not kill all mutants is tested.
TEST(Suites, PowerIsBlindToWhatNoElementShows) {
  std::set<std::string> contracts;
  for (const Case& c : quick_cases()) {
    const std::set<std::string> blind = undeclared(c, {});
    if (blind.empty() || blind.size() == seen_by_case().at(c.id).size() || !contracts.insert(c.op + c.text("contract")).second)
      continue;
    Case silent = c;  // with blind_to, power_of() tries those mutants only on the first row
    silent.blind_to.clear();
    const Power power = power_of(*shipped_ops().find(c.op).bind(silent), silent.blind_to);
    EXPECT_EQ(std::set<std::string>(power.blind_to.begin(), power.blind_to.end()), blind) << c.id;
    const auto real = std::count_if(seen_by_case().at(c.id).begin(), seen_by_case().at(c.id).end(),
                                    [](const Visibility& v) { return v.equivalent.empty(); });
    EXPECT_EQ(power.faults, real) << c.id;
  }
  EXPECT_GT(contracts.size(), wanted_contracts() == "*" ? 5u : 0u);
}

/// Globs in `blind_to` that match no surviving mutant of any case of the row, as "FILE:LINE blind_to GLOB". A run does not find
/// them, because power_of() trusts `blind_to`.
std::set<std::string> stale_declarations(const std::vector<Case>& cases) {
  std::set<std::string> needed, stale;
  const auto words = [](const Case& c, const std::string& glob) { return c.origin.text() + " blind_to " + glob; };
  for (const Case& c : cases)
    for (const std::string& glob : c.blind_to)
      for (const Visibility& v : seen_by_case().at(c.id))
        if (v.equivalent.empty() && !v.visible() && glob_match(glob, v.fault)) needed.insert(words(c, glob));
  for (const Case& c : cases)
    for (const std::string& glob : c.blind_to)
      if (!needed.contains(words(c, glob))) stale.insert(words(c, glob));
  return stale;
}

TEST(Suites, EveryDeclaredBlindnessIsThatOfACase) {
  if (some_contracts_are_left_out()) GTEST_SKIP() << "left to ci/tables; a sample lacks some contracts of each row";
  EXPECT_EQ(stale_declarations(quick_cases()), std::set<std::string>());
}

TEST(Suites, AStaleDeclarationIsFound) {
  for (Case c : quick_cases()) {
    const std::vector<Visibility>& faults = seen_by_case().at(c.id);
    const auto seen = std::find_if(faults.begin(), faults.end(), [](const Visibility& v) { return v.visible(); });
    const auto blind =
        std::find_if(faults.begin(), faults.end(), [](const Visibility& v) { return v.equivalent.empty() && !v.visible(); });
    if (seen == faults.end() || blind == faults.end()) continue;
    c.blind_to = {seen->fault, blind->fault, "no such fault"};
    const std::string row = c.origin.text() + " blind_to ";
    EXPECT_EQ(stale_declarations({c}), (std::set<std::string>{row + seen->fault, row + "no such fault"})) << c.id;
    return;
  }
  FAIL() << "no case is blind to one fault and sees another";
}

TEST(Suites, EveryFaultIsSeenByACaseOfItsContract) {
  std::map<std::string, std::set<std::string>> all, seen;
  for (const Case& c : quick_cases()) {
    for (const Visibility& v : seen_by_case().at(c.id)) {
      if (!v.equivalent.empty()) continue;
      all[c.text("contract")].insert(v.fault);
      if (v.visible()) seen[c.text("contract")].insert(v.fault);
    }
  }
  // unseen.csv must list every mutant that no quick case kills, with a reason
  const Table unseen = read_table(std::string(ASSAY_SOURCE_DIR) + "/suites/unseen.csv");
  const std::vector<std::string> columns = {"contract", "fault", "why"};
  unseen.require_columns(columns);
  for (const TableRow& row : unseen.rows) {
    EXPECT_FALSE(unseen.text(row, "why").empty()) << row.line;
    for (const std::string& contract : alternatives_of(unseen.text(row, "contract"))) {
      if (!all.contains(contract)) continue;  // not in the sample
      EXPECT_TRUE(all.at(contract).contains(unseen.text(row, "fault")))
          << contract << " has no fault " << unseen.text(row, "fault");
      seen[contract].insert(unseen.text(row, "fault"));
    }
  }
  for (const auto& [contract, faults] : all)
    for (const std::string& fault : faults)
      EXPECT_TRUE(seen[contract].contains(fault)) << contract << ": no quick case sees " << fault;
}

TEST(Suites, EquivalencesHoldOnAllQuickData) {
  std::set<std::string> used;
  for (const Case& c : quick_cases()) {
    const Op& op = shipped_ops().find(c.op);
    const Problem problem = op.bind(c)->problem();
    const std::vector<WholePart> right = computed(op.bind(c)->expect(problem, nullptr));
    for (const Hypothesis& h : op.bind(c)->mutants()) {
      if (h.equivalent.empty()) continue;
      used.insert(h.equivalent);
      const std::vector<WholePart> edited = computed(h.expect(problem, nullptr));
      for (size_t p = 0; p < right.size(); ++p)
        for (int64_t i = 0; i < right[p].part.elements(); ++i)
          ASSERT_TRUE(right[p].at(i).meets(edited[p].at(i))) << c.id << ": " << h.name << " shows in " << right[p].part.label();
    }
  }
  if (some_contracts_are_left_out()) return;
  for (const Equivalence& e : rulebook().equivalences)
    EXPECT_TRUE(used.contains(e.why)) << e.contract << " " << e.fault << " matches nothing";
}

TEST(Suites, EveryContractCanBeWrittenAndTraced) {
  std::set<std::string> tried;
  for (const Case& c : quick_cases()) {
    if (!tried.insert(c.op + c.text("contract")).second) continue;
    const Op& op = shipped_ops().find(c.op);
    const Problem problem = op.bind(c)->problem();
    EXPECT_FALSE(op.bind(c)->formulas().empty()) << c.id;
    const TensorSpec& x = problem.tensors.front().spec;
    const int64_t columns = x.shape.size() > 1 ? x.shape.back() : 1;
    for (const int64_t row : {int64_t{0}, x.elements() / columns - 1})
      for (const int64_t column : {int64_t{0}, columns - 1})
        EXPECT_FALSE(op.bind(c)->trace(problem, row, column).empty()) << c.id << " " << row << " " << column;
  }
}

TEST(Suites, EveryContractHasAQuickCase) {
  if (some_contracts_are_left_out()) GTEST_SKIP() << "left to ci/tables; a sample lacks some contracts";
  std::set<std::string> tested;
  for (const Case& c : quick_cases()) {
    tested.insert(c.text("contract"));
    if (rulebook().is_unit(c.text("contract"))) continue;
    for (const std::string& link : chain_of(rulebook().contracts.find(c.text("contract")))) tested.insert(link);
  }
  for (const ContractRow& row : rulebook().contracts.rows())
    EXPECT_TRUE(row.flow == &cast_flow() || tested.contains(row.id)) << row.id;
  for (const UnitRow& row : rulebook().units.rows()) EXPECT_EQ(tested.contains(row.id), row.unit.known()) << row.id;
}

}  // namespace
}  // namespace assay
