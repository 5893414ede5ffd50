#include "harness/diagnosis/run_hooks.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/race.h"
#include "harness/diagnosis/visibility.h"

namespace assay {

std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded) {
  struct Known {
    std::once_flag once;
    Power power;
  };
  struct Store {
    std::mutex mutex;
    std::map<std::string, Known> by_data;
  };
  return [recorded = std::move(recorded), store = std::make_shared<Store>()](const Evidence& evidence) {
    if (const Power* const power = recorded(evidence.one)) return *power;
    Known* known = nullptr;
    {
      const std::lock_guard lock(store->mutex);
      known = &store->by_data[evidence.one.data_id()];
    }
    std::call_once(known->once, [&] { known->power = power_of(evidence.bound, evidence.one.blind_to, &evidence.problem); });
    return known->power;
  };
}

/// Text for wrong padding, with or without wrong elements.
constexpr const char* kPadding = "padding: left unwritten, or overwritten where it must not change";

static bool padding_is_wrong(const Verdict& verdict) {
  return std::any_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.padding_wrong > 0; });
}

static bool only_padding(const Verdict& verdict) {
  return padding_is_wrong(verdict) && verdict.violations.empty() &&
         std::all_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.outside == 0; });
}

/// Partly written outputs: what was written may be at the offsets of another layout.
static bool never_written(const Evidence& evidence, const Verdict& verdict) {
  return verdict.outcome == Outcome::kBroken && evidence.outputs && verdict.tensors.empty();
}

Backend shared_between_threads(Backend backend) {
  backend.call = [mutex = std::make_shared<std::mutex>(), call = std::move(backend.call)](const CallRequest& request) {
    const std::lock_guard lock(*mutex);
    return call(request);
  };
  return backend;
}

std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend) {
  return [&backend](const Evidence& evidence, Verdict& verdict) {
    if (never_written(evidence, verdict)) {
      const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample);
      if (!causes.empty() && causes.front().complete()) verdict.causes = causes_in_words(causes);
      return;
    }
    if (verdict.outcome != Outcome::kFail || !evidence.outputs || verdict.tensors.empty()) return;
    if (only_padding(verdict)) {
      verdict.causes = {std::string(kPadding) + "; every element is right"};
      return;
    }
    const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample);
    verdict.causes = causes_in_words(causes);
    if (causes.empty()) {
      const std::string situation = evidence.bound.situation(evidence.problem, *evidence.outputs);
      if (!situation.empty()) verdict.causes = {situation};
    }
    if (causes.empty() || !causes.front().complete()) {
      const CallRequest request{evidence.one.op, evidence.one.text("contract"), verdict.kernel, &evidence.problem, 1};
      if (const std::string race = race_in_words(backend, request); !race.empty()) verdict.causes = {race};
    }
    if (padding_is_wrong(verdict)) verdict.causes.emplace_back(kPadding);
  };
}

}  // namespace assay
