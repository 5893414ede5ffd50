#include "harness/run/repeated_call.h"

#include <cstdio>

namespace assay {

bool answered(const CallResult& result, Verdict& verdict) {
  verdict.message = result.message;
  switch (result.status) {
    case CallStatus::kOk:
      return true;
    case CallStatus::kUnsupported:
      verdict.outcome = Outcome::kSkip;
      break;
    case CallStatus::kFailed:
      verdict.outcome = Outcome::kFail;
      verdict.message = "the library refused the call: " + result.message;
      break;
    case CallStatus::kDeviceLost:
      verdict.outcome = Outcome::kSkip;
      verdict.device_lost = true;
      verdict.message = "device lost: " + result.message;
      break;
    case CallStatus::kBroken:
      verdict.outcome = Outcome::kBroken;
      break;
    case CallStatus::kNotCalled:
      verdict.outcome = Outcome::kNotJudged;
      break;
  }
  return false;
}

std::string call_difference(const CallResult& first, const CallResult& again, int call) {
  for (size_t i = 0; i < first.outputs.size(); ++i) {
    const HostTensor &a = first.outputs[i], &b = again.outputs[i];
    // Unwritten bytes hold the sentinel of the last call, so they are not compared.
    const std::vector<std::byte>&x = a.bytes, &y = b.bytes;
    std::vector<ByteRange> skip = first.untouched[i];
    for (size_t k = 0, range = 0; k < x.size(); ++k) {
      while (range < skip.size() && skip[range].end <= int64_t(k)) ++range;
      if (range < skip.size() && skip[range].begin <= int64_t(k)) {
        k = size_t(skip[range].end) - 1;
        continue;
      }
      if (x[k] == y[k]) continue;
      const int64_t element = a.spec.element_of(k);
      char text[192];
      std::snprintf(text, sizeof text, "not deterministic: call %d gives other bits: %s at storage element %lld: 0x%x, then 0x%x",
                    call, a.spec.name.c_str(), static_cast<long long>(element), a.code(element), b.code(element));
      return text;
    }
  }
  return "";
}

std::optional<CallResult> call_repeatedly(const CallRequest& request, const Backend& backend, int repeat, Verdict& verdict) {
  CallResult first = backend.call(request);
  verdict.seconds = first.seconds;
  if (!answered(first, verdict)) return std::nullopt;
  for (int call = 2; call <= repeat; ++call) {
    CallRequest next = request;
    next.schedule_seed = request.schedule_seed + uint64_t(call) - 1;
    const CallResult again = backend.call(next);
    if (!answered(again, verdict)) return std::nullopt;
    verdict.message = call_difference(first, again, call);
    if (verdict.message.empty()) continue;
    verdict.outcome = Outcome::kFail;
    return std::nullopt;
  }
  return first;
}

}  // namespace assay
