#include "harness/report/counts.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay {

std::vector<Outcome> outcomes_of(const RunResult& result) {
  std::vector<Outcome> outcomes = {Outcome::kPass, Outcome::kFail, Outcome::kSkip, Outcome::kUntrusted, Outcome::kBroken};
  if (result.count(Outcome::kNotJudged) > 0) outcomes.push_back(Outcome::kNotJudged);
  return outcomes;
}

Standing standing_of(const Verdict& verdict) {
  switch (verdict.outcome) {
    case Outcome::kPass:
      return Standing::kPassed;
    case Outcome::kSkip:
      return verdict.offered ? Standing::kNotRun : Standing::kNotOffered;
    case Outcome::kFail:
      return Standing::kFailed;
    case Outcome::kBroken:
      return Standing::kBroken;
    case Outcome::kUntrusted:
      return Standing::kUntrusted;
    case Outcome::kNotJudged:
      return Standing::kNotJudged;
  }
  return Standing::kNotJudged;
}

const char* name(Standing standing) {
  constexpr std::array kNames = {"passed", "not run", "not offered", "failed", "broken", "untrusted", "not judged"};
  return kNames[size_t(standing)];
}

Outcome outcome_of(Standing standing) {
  constexpr std::array kOutcome = {Outcome::kPass,   Outcome::kSkip,      Outcome::kSkip,     Outcome::kFail,
                                   Outcome::kBroken, Outcome::kUntrusted, Outcome::kNotJudged};
  return kOutcome[size_t(standing)];
}

std::map<CountKey, std::map<Outcome, int64_t>> counts_by_contract(const RunResult& result) {
  std::map<CountKey, std::map<Outcome, int64_t>> counts;
  for (const Verdict& v : result.verdicts) ++counts[{v.op, v.contract, v.warp}][v.outcome];
  return counts;
}

std::map<std::string, int64_t> counts_by_message(const RunResult& result, Outcome outcome) {
  std::map<std::string, int64_t> counts;
  for (const Verdict& v : result.verdicts) {
    if (v.outcome == outcome) ++counts[v.message];
  }
  return counts;
}

std::map<std::string, int64_t> counts_by_rung(const RunResult& result) {
  std::map<std::string, int64_t> counts;
  for (const Verdict& v : result.verdicts) {
    if (!v.climb) continue;
    for (const std::string& rung : v.climb->held) ++counts[rung + " holds"];
    for (const auto& [rung, reason] : v.climb->absent) ++counts[rung + " not tried: " + reason];
    if (!v.climb->broken.empty()) ++counts["breaks at " + v.climb->broken];
  }
  return counts;
}

std::string counts_text(const RunResult& result) {
  std::string text;
  for (const Outcome outcome : outcomes_of(result)) {
    const int64_t count = result.count(outcome);
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name(outcome));
  }
  const auto known = std::count_if(result.verdicts.begin(), result.verdicts.end(), [](const Verdict& v) {
    return !v.deviation.empty() && as_expected(v) && v.outcome != Outcome::kPass;
  });
  return known == 0 ? text : fmt::format("{}; {} of them are in the ledger", text, known);
}

std::string ending_text(const RunResult& result) {
  if (!result.harness_error.empty()) return "ENDED EARLY";
  if (!result.ended_by.empty()) return "ENDED EARLY by " + result.ended_by;
  if (result.device_lost) return "DEVICE LOST";
  if (result.judged() == 0) return "NOTHING RAN";
  return result.unexpected() > 0 ? "NOT AS EXPECTED" : "ALL AS EXPECTED";
}

}  // namespace assay
