// Repeats the first failure of each cause alone. A kernel that keeps state between calls, such as a table by shape, fails in a run
// and passes when its repro line is run.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/run_reports.h"
#include "harness/report/failure_groups.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"
#include "suites/registry.h"

namespace assay {
namespace {

/// Time limits: after so many seconds no further failure is repeated; a repeated call that takes longer counts as hung.
constexpr double kSecondsInAll = 10, kSecondsOfCall = 10;
constexpr size_t kMostFailures = 6;
/// Other cases of the kernel that are tried one by one, the nearest first; and all before together, as they came.
constexpr size_t kMostAlone = 8, kMostTogether = 64;

/// Runs cases of one kernel in processes of their own.
class Repeats {
 public:
  Repeats(const OpRegistry& ops, const std::vector<Case>& cases, const CaseOptions& each, const RunArguments& arguments,
          const std::function<bool()>& ended)
      : ops_(ops), cases_(cases), arguments_(arguments), ended_(ended) {
    options_.repeat = each.repeat, options_.ladder = each.ladder, options_.schedule_seed = each.schedule_seed;
  }

  bool has_time() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count() < kSecondsInAll && !ended_();
  }

  /// The outcome of `failed` in a new process after the calls of these cases. Nothing if the kernel cannot be called there.
  std::optional<Outcome> outcome_after(const std::vector<std::string>& earlier, const Verdict& failed) const {
    const Backend fresh = open_backend(
        ops_, {arguments_.backend, false, std::min(kSecondsOfCall, arguments_.timeout_seconds), ended_});
    const auto kernel = std::find_if(fresh.library.kernels.begin(), fresh.library.kernels.end(),
                                     [&](const KernelOffer& one) { return one.name == failed.kernel; });
    if (kernel == fresh.library.kernels.end()) return std::nullopt;
    for (const std::string& id : earlier)
      if (const Case* one = find(id)) (void)run_case(ops_.find(one->op), *one, *kernel, fresh, {});
    const Case* const one = find(failed.case_id);
    if (one == nullptr) return std::nullopt;
    return run_case(ops_.find(one->op), *one, *kernel, fresh, options_).outcome;
  }

 private:
  const Case* find(const std::string& id) const {
    const auto found = std::find_if(cases_.begin(), cases_.end(), [&](const Case& one) { return one.id == id; });
    return found == cases_.end() ? nullptr : &*found;
  }

  const OpRegistry& ops_;
  const std::vector<Case>& cases_;
  const RunArguments& arguments_;
  const std::function<bool()>& ended_;
  CaseOptions options_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

bool fails(const std::optional<Outcome>& outcome) { return outcome == Outcome::kFail || outcome == Outcome::kBroken; }

/// Cases that the kernel was called for between two places of the result, in order.
std::vector<std::string> cases_of(const RunResult& result, const std::string& kernel, size_t first, size_t end) {
  std::vector<std::string> ids;
  for (size_t i = first; i < end; ++i) {
    const Verdict& one = result.verdicts[i];
    if (one.kernel == kernel && one.outcome != Outcome::kSkip && one.outcome != Outcome::kNotJudged) ids.push_back(one.case_id);
  }
  return ids;
}

/// What makes a failure that does not come back alone: one earlier case, all of them, or nothing that was tried.
void name_earlier_calls(const Repeats& repeats, const RunResult& result, size_t place, Verdict& verdict) {
  const std::vector<std::string> before = cases_of(result, verdict.kernel, 0, place);
  // Several threads make inputs, so that a later case of the table may have been called before.
  std::vector<std::string> others(before.rbegin(), before.rbegin() + std::ptrdiff_t(std::min(before.size(), kMostAlone / 2)));
  for (const std::string& id : cases_of(result, verdict.kernel, place + 1, result.verdicts.size()))
    if (others.size() < kMostAlone) others.push_back(id);
  const auto say = [&](const std::string& words) {
    verdict.message += (verdict.message.empty() ? "" : "; ") + ("passes alone in a new process" + words);
  };
  for (const std::string& earlier : others) {
    if (!repeats.has_time()) break;
    if (!fails(repeats.outcome_after({earlier}, verdict))) continue;
    const size_t at = verdict.repro.find(" --case ");
    if (at != std::string::npos) verdict.repro.insert(at, " --case " + shell_word(earlier));
    return say(" and fails after " + earlier + ": the kernel keeps state between calls");
  }
  const size_t some = std::min(kMostTogether, before.size());
  if (some > 1 && repeats.has_time() && fails(repeats.outcome_after({before.end() - std::ptrdiff_t(some), before.end()}, verdict)))
    return say(fmt::format(" and fails after the {} calls before, {} to {}: the kernel keeps state between calls", some,
                           before[before.size() - some], before.back()));
  say(": it depends on earlier calls" + (before.empty() ? std::string() : ", the last of " + before.back()) +
      ", or it comes and goes");
}

}  // namespace

void repeat_alone(const OpRegistry& ops, const std::vector<Case>& cases, const CaseOptions& each, const RunArguments& arguments,
                  const std::function<bool()>& ended, RunResult& result) {
  const Repeats repeats(ops, cases, each, arguments, ended);
  size_t repeated = 0;
  for (const FailureGroup& group : failures_by_cause(result)) {
    Verdict& verdict = result.verdicts[group.first()];
    if (!fails(verdict.outcome) || as_expected(verdict) || (verdict.climb && verdict.climb->broken == "calls")) continue;
    if (repeated++ == kMostFailures || !repeats.has_time()) return;
    try {
      if (repeats.outcome_after({}, verdict) != Outcome::kPass) continue;
      name_earlier_calls(repeats, result, group.first(), verdict);
    } catch (const std::exception&) {
      return;  // the library cannot be opened again
    }
  }
}

}  // namespace assay
