#include "harness/report/trend.h"

#include <nlohmann/json.hpp>
#include <set>

#include "harness/report/failure_groups.h"
#include "harness/text/error.h"
#include "harness/text/guarded_json.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

bool was_bad(const std::string& outcome) { return outcome != name(Outcome::kPass) && outcome != name(Outcome::kSkip); }

}  // namespace

EarlierRun read_earlier_run(const std::string& path) {
  EarlierRun earlier{path, "", {}};
  try {
    const nlohmann::json report = read_json(path);
    if (report.contains("provenance")) earlier.begun = report.at("provenance").value("begun", "");
    for (const nlohmann::json& verdict : report.at("verdicts"))
      earlier.outcomes[{verdict.at("case"), verdict.at("kernel")}] = verdict.at("outcome");
  } catch (const TableError& error) {
    throw UsageError(error.what() + std::string("; expected a report of --report json:FILE"));
  } catch (const nlohmann::json::exception& error) {
    throw UsageError(path + ": is not a report of --report json:FILE: " + message_text(error.what()));
  }
  return earlier;
}

Trend trend_of(const RunResult& result, const EarlierRun& earlier) {
  Trend trend;
  std::set<std::pair<std::string, std::string>> there;
  for (const Verdict& v : result.verdicts) {
    const auto before = earlier.outcomes.find({v.case_id, v.kernel});
    const bool bad = is_bad(v.outcome), passed = v.outcome == Outcome::kPass;
    there.insert({v.case_id, v.kernel});
    if (before == earlier.outcomes.end() || before->second == name(Outcome::kSkip)) {
      if (bad) trend.fresh.push_back(&v);
    } else if (was_bad(before->second)) {
      if (bad) ++trend.still_bad;
      if (passed) trend.better.push_back(&v);
    } else {
      if (bad) trend.worse.push_back(&v);
      if (passed) ++trend.still_passed;
    }
  }
  for (const auto& [key, outcome] : earlier.outcomes)
    if (outcome != name(Outcome::kSkip) && !there.contains(key)) ++trend.gone;
  return trend;
}

}  // namespace assay
