#include "harness/diagnosis/looking.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/race.h"
#include "harness/diagnosis/visibility.h"

namespace assay {

std::function<Power(const Evidence&)> power_of_data() {
  struct Known {
    std::once_flag once;
    Power power;
  };
  struct Store {
    std::mutex mutex;
    std::map<std::string, Known> by_data;
  };
  return [store = std::make_shared<Store>()](const Evidence& evidence) {
    const std::string data = evidence.one.id.substr(0, evidence.one.id.rfind("/w"));
    Known* known = nullptr;
    {
      const std::lock_guard lock(store->mutex);
      known = &store->by_data[data];
    }
    std::call_once(known->once, [&] { known->power = power_of(evidence.op, evidence.one); });
    return known->power;
  };
}

static bool only_padding(const Verdict& verdict) {
  return std::all_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.outside == 0; });
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
    if (verdict.outcome != Outcome::kFail || !evidence.outputs || verdict.tensors.empty()) return;
    if (only_padding(verdict)) {
      verdict.causes = {
          "padding: every element is right and only the padding is not: left unwritten, or written where it must stay"};
      return;
    }
    const std::vector<Cause> causes = diagnose(evidence.op, evidence.one, evidence.problem, *evidence.outputs);
    verdict.causes = causes_in_words(causes);
    if (!causes.empty() && causes.front().complete()) return;
    const CallRequest request{evidence.one.op, evidence.one.text("contract"), verdict.kernel, &evidence.problem, 1};
    if (const std::string race = race_in_words(backend, request); !race.empty()) verdict.causes = {race};
  };
}

}  // namespace assay
