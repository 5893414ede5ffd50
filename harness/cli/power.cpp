#include "harness/cli/power.h"

#include <fmt/format.h>

#include <set>

#include "harness/cli/places.h"
#include "harness/cli/regenerate.h"
#include "harness/cli/verbs.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/progress_report.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

PowerRecords recorded_power(const std::vector<Case>& cases, const std::string& folder) {
  return PowerRecords::read(folder.empty() ? data_root() + "/golden/power" : folder, cases, rows_read_by);
}

std::map<std::string, Power> powers_of(const OpRegistry& ops, const std::vector<Case>& cases, const PowerRecords& records,
                                       size_t& computed) {
  std::map<std::string, Power> all;
  std::vector<std::pair<const Case*, Power*>> missing;
  for (const Case& one : cases) {
    const auto [place, is_new] = all.try_emplace(one.data_id());
    if (!is_new) continue;
    if (const Power* const known = records.find(one))
      place->second = *known;
    else
      missing.push_back({&one, &place->second});
  }
  ProgressReport progress(missing.size(), "data sets");
  for_each_in_parallel(int64_t(missing.size()), [&](int64_t i) {
    const auto [one, power] = missing[size_t(i)];
    *power = power_to_record(*ops.find(one->op).bind(*one), one->blind_to);
    progress.step(one->data_id());
  });
  computed = missing.size();
  return all;
}

std::string power_sources(const std::vector<Case>& cases, const RunResult& result, const PowerRecords& records) {
  std::set<std::string> judged;
  for (const Verdict& verdict : result.verdicts)
    if (!verdict.power.data.empty()) judged.insert(data_id(verdict.case_id));
  const size_t all = judged.size();
  size_t recorded = 0;
  for (const Case& one : cases)
    if (judged.erase(one.data_id()) > 0) recorded += records.find(one) != nullptr;
  return fmt::format("mutation scores of {} data sets: {} read from golden/power, {} computed", all, recorded, all - recorded);
}

int put_table(const std::string& command, const std::function<std::string()>& table, const std::string& write,
              const std::string& check) {
  if (!write.empty()) {
    require_section(write, command);
    fmt::print("{} {}\n", write, write_section(write, command, table()) ? "written" : "is up to date");
    return kAllAsExpected;
  }
  if (check.empty()) {
    fmt::print("{}", table());
    return kAllAsExpected;
  }
  require_section(check, command);
  const std::string difference = section_difference(check, command, table());
  if (difference.empty()) return kAllAsExpected;
  fmt::print("{}\nrewrite it: {} --write {}\n", difference, command, check);
  return kUnexpected;
}

// assay power: which input generators of the quick tier kill which mutants.

int power_verb(const PowerArguments& arguments) {
  Selection quick{.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}};
  if (!arguments.op.empty()) quick.suites = {arguments.suites.ops->find(arguments.op).name + "/quick"};
  const std::vector<Case> cases = open_selected_cases(arguments.suites, quick);
  const auto table = [&] {
    size_t computed = 0;
    const std::map<std::string, Power> powers = powers_of(*arguments.suites.ops, cases, recorded_power(cases), computed);
    return power_table(arguments.suites.ops->all(), cases, [&](const Case& one) { return powers.at(one.data_id()); });
  };
  return put_table("assay power", table, arguments.write, arguments.check);
}

// assay sharpness: widths of the accepted intervals at a realistic hidden size.

// Filters the tiers here, because a Selection that names the full tier is an error for an op without cases of that tier.
static bool is_realistic(const Case& one) {
  const auto is = [&](const char* column, const char* cell) {
    const auto found = one.parameters.find(column);
    return found != one.parameters.end() && found->second == cell;
  };
  return (one.tier == "quick" || one.tier == "full") && is("n", "7168") && is("fill", "normal");
}

std::string sharpness_now(const OpRegistry& ops, std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& one) { return !is_realistic(one); });
  return sharpness_table(ops.all(), cases);
}

int sharpness_verb(const PowerArguments& arguments) {
  Selection selection;
  if (!arguments.op.empty()) selection.suites = {arguments.op};
  const std::vector<Case> cases = open_selected_cases(arguments.suites, selection);
  if (!arguments.op.empty() && std::none_of(cases.begin(), cases.end(), is_realistic))
    throw UsageError("op '" + arguments.op + "' has no case with n = 7168 and fill normal, which the table needs");
  return put_table(
      "assay sharpness", [&] { return sharpness_now(*arguments.suites.ops, cases); }, arguments.write, arguments.check);
}

}  // namespace assay
