#include "harness/cli/looking.h"

#include <map>
#include <memory>
#include <mutex>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"

namespace assay {

std::function<std::vector<std::string>(const Evidence&)> blindness() {
  struct Known {
    std::mutex mutex;
    std::map<std::string, std::vector<std::string>> by_data;
  };
  return [known = std::make_shared<Known>()](const Evidence& evidence) {
    const std::string data = evidence.one.id.substr(0, evidence.one.id.rfind("/w"));
    {
      const std::lock_guard lock(known->mutex);
      if (const auto found = known->by_data.find(data); found != known->by_data.end()) return found->second;
    }
    std::vector<std::string> blind = blind_faults(evidence.op, evidence.one, evidence.problem);
    const std::lock_guard lock(known->mutex);
    return known->by_data[data] = std::move(blind);
  };
}

void look_for_causes(const Evidence& evidence, Verdict& verdict) {
  if (verdict.outcome != Outcome::kFail || !evidence.outputs || verdict.tensors.empty()) return;
  verdict.causes = causes_in_words(diagnose(evidence.op, evidence.one, evidence.problem, *evidence.outputs));
}

}  // namespace assay
