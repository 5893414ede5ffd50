#include "harness/report/failure_groups.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/report/causes.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"

namespace assay {

std::vector<Outcome> outcomes_of(const RunResult& result) {
  std::vector<Outcome> outcomes = {Outcome::kPass, Outcome::kFail, Outcome::kSkip, Outcome::kUntrusted, Outcome::kBroken};
  if (result.count(Outcome::kFlaky) > 0) outcomes.push_back(Outcome::kFlaky);
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
    case Outcome::kFlaky:
      return Standing::kFlaky;
    case Outcome::kNotJudged:
      return Standing::kNotJudged;
  }
  return Standing::kNotJudged;
}

const char* name(Standing standing) {
  constexpr std::array kNames = {"passed", "not run", "not offered", "failed", "broken", "untrusted", "flaky", "not judged"};
  return kNames[size_t(standing)];
}

Outcome outcome_of(Standing standing) {
  constexpr std::array kOutcome = {Outcome::kPass,   Outcome::kSkip,      Outcome::kSkip,     Outcome::kFail,
                                   Outcome::kBroken, Outcome::kUntrusted, Outcome::kFlaky, Outcome::kNotJudged};
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
  return known == 0 ? text : fmt::format("{}; {} of them {} on the known-failures list", text, known, known == 1 ? "is" : "are");
}

std::map<GateState, int64_t> counts_by_state(const RunResult& result) {
  std::map<GateState, int64_t> counts;
  for (const GateState state : kGateStates) counts[state] = 0;
  for (const Verdict& v : result.verdicts)
    if (v.gate) ++counts[v.gate->state];
  return counts;
}

std::string states_text(const RunResult& result) {
  std::string text;
  for (const auto& [state, count] : counts_by_state(result))
    if (count > 0 || state != GateState::kNotInBaseline)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name(state));
  return text;
}

const char* gate_effect(GateState state, const GateRun& run) {
  switch (state) {
    case GateState::kNew:
    case GateState::kGone:
      return "fails";
    case GateState::kFixed:
      return run.strict ? "fails (--strict)" : "passes, with a note";
    case GateState::kChanged:
      return run.same_bits ? "fails (--same-bits)" : "passes";
    case GateState::kKnown:
    case GateState::kSameBits:
    case GateState::kNotInBaseline:
      break;
  }
  return "passes";
}

std::string ending_text(const RunResult& result) {
  if (!result.harness_error.empty()) return "ENDED EARLY";
  if (!result.ended_by.empty()) return "ENDED EARLY by " + result.ended_by;
  if (result.device_lost) return "DEVICE LOST";
  const ExitCode code = result.exit_code();
  if (code == kUsageOrNothingRan) return "NOTHING RAN";
  if (result.gate) return code == kAllAsExpected ? "GATE OPEN" : "GATE CLOSED";
  return code == kUnexpected ? "NOT AS EXPECTED" : "ALL AS EXPECTED";
}

std::vector<FailureGroup> failures_by_cause(const RunResult& result) {
  std::vector<FailureGroup> groups;
  std::map<std::tuple<std::string, std::string, Outcome>, size_t> group_of;
  std::map<std::tuple<size_t, std::string, std::string>, size_t> twins_of;
  for (size_t place = 0; place < result.verdicts.size(); ++place) {
    const Verdict& v = result.verdicts[place];
    if (!is_bad(v.outcome)) continue;
    const std::string mistake = first_mistake(v), kernel = is_unknown(mistake) ? v.kernel : "";
    const auto [known, is_new] = group_of.try_emplace({with_numbers_masked(mistake), kernel, v.outcome}, groups.size());
    if (is_new) groups.emplace_back().cause = mistake;
    FailureGroup& group = groups[known->second];
    group.expected &= as_expected(v);
    group.kernels.insert(v.kernel);
    ++group.verdicts;
    const auto [twins, is_first] = twins_of.try_emplace({known->second, v.kernel, data_of(v)}, group.failures.size());
    if (is_first) group.failures.emplace_back();
    group.failures[twins->second].places.push_back(place);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const FailureGroup& a, const FailureGroup& b) {
    return std::pair(a.expected, -a.verdicts) < std::pair(b.expected, -b.verdicts);
  });
  return groups;
}

std::string twins_text(const RunResult& result, const Twins& twins) {
  std::string text = result.verdicts[twins.places.front()].case_id;
  for (const size_t place : twins.places)
    if (place != twins.places.front()) text += " and w" + result.verdicts[place].warp;
  return text;
}

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

// Compares the cases of a kernel in which nothing was written with its other cases: a launch that a size or type skips.

namespace {

/// Parameters of a case: its contract, formats and sizes.
std::set<std::string> parameters_of(const Verdict& verdict) {
  const std::vector<std::string> words = words_of_shape(verdict);
  std::set<std::string> all(words.begin(), words.end());
  if (!verdict.contract.empty()) all.insert("contract " + verdict.contract);
  return all;
}

}  // namespace

std::vector<std::string> words_of_shape(const Verdict& verdict) {
  std::string_view id = verdict.case_id;
  for (int i = 0; i < 2; ++i) id.remove_prefix(std::min(id.find('/'), id.size() - 1) + 1);
  id = id.substr(0, id.find('/'));
  std::vector<std::string> all;
  while (!id.empty()) {
    const std::string_view word = id.substr(0, id.find('.'));
    all.emplace_back(word);
    id.remove_prefix(std::min(word.size() + 1, id.size()));
  }
  return all;
}

void compare_unwritten_cases(RunResult& result) {
  constexpr size_t kFewestWritten = 2;
  struct Cases {
    std::vector<Verdict*> unwritten;
    std::vector<const Verdict*> written;
  };
  std::map<std::pair<std::string, std::string>, Cases> kernels;
  for (Verdict& verdict : result.verdicts) {
    Cases& cases = kernels[{verdict.kernel, verdict.op}];
    const bool unwritten =
        !verdict.causes.empty() && (verdict.causes.front().starts_with("never written: no element of any output: ") ||
                                    verdict.causes.front().starts_with("never written: every output is as it was before the call: "));
    if (unwritten)
      cases.unwritten.push_back(&verdict);
    else if (verdict.outcome == Outcome::kPass || verdict.outcome == Outcome::kFail)
      cases.written.push_back(&verdict);
  }
  for (auto& [kernel, cases] : kernels) {
    if (cases.unwritten.empty() || cases.written.size() < kFewestWritten) continue;
    std::set<std::string> shared = parameters_of(*cases.unwritten.front());
    for (const Verdict* one : cases.unwritten) {
      const std::set<std::string> of_case = parameters_of(*one);
      std::erase_if(shared, [&](const std::string& word) { return !of_case.contains(word); });
    }
    for (const Verdict* one : cases.written) {
      const std::set<std::string> of_case = parameters_of(*one);
      std::erase_if(shared, [&](const std::string& word) { return of_case.contains(word); });
    }
    if (shared.empty()) continue;
    std::string words;
    for (const std::string& word : shared) words += (words.empty() ? "" : ", ") + word;
    const size_t count = cases.unwritten.size();
    const std::string line = fmt::format("only {} with {} write{} nothing; the kernel's {} other cases write their outputs",
                                         count == 1 ? "the case" : fmt::format("the {} cases", count), words,
                                         count == 1 ? "s" : "", cases.written.size());
    for (Verdict* one : cases.unwritten) one->causes.insert(one->causes.begin() + 1, line);
  }
}

}  // namespace assay
