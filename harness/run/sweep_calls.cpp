#include "harness/run/sweep_calls.h"

#include "harness/run/repeated_call.h"

namespace assay {

SweepCalls SweepAnswers::calls() {
  SweepCalls calls{[this](const Problem& problem) { return outputs(problem); }};
  if (!backend_.watched_call) return calls;
  calls.wrong = [this](const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps) {
    return wrong(problem, first, steps);
  };
  return calls;
}

const std::vector<HostTensor>* SweepAnswers::outputs(const Problem& problem) {
  if (gave_up_) return nullptr;
  request_.problem = &problem;
  result_ = backend_.call(request_);
  verdict_.seconds += result_.seconds;
  gave_up_ = result_.status != CallStatus::kOk && !answered(result_, verdict_);
  for (size_t i = 0; i < result_.outputs.size() && !gave_up_; ++i) {
    if (result_.untouched[i].empty()) continue;
    gave_up_ = true;
    verdict_.outcome = Outcome::kBroken;
    verdict_.message = "output '" + result_.outputs[i].spec.name + "': some elements were never written";
  }
  return gave_up_ ? nullptr : &result_.outputs;
}

std::vector<int32_t> SweepAnswers::wrong(const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps) {
  if (gave_up_) return {};
  request_.problem = &problem;
  WatchedResult seen = backend_.watched_call(request_, first, steps);
  verdict_.seconds += seen.call.seconds;
  if (seen.call.status == CallStatus::kUnsupported)
    return {};  // out of device memory, or refused by the kernel: outputs() reports it
  gave_up_ = seen.call.status != CallStatus::kOk && !answered(seen.call, verdict_);
  return gave_up_ ? std::vector<int32_t>{} : std::move(seen.wrong);
}

}  // namespace assay
