#include "harness/diagnosis/race.h"

#include "harness/run/repeated_call.h"

namespace assay {

std::string race_in_words(const Backend& backend, const CallRequest& request) {
  constexpr int kSchedules = 8;
  CallRequest next = request;
  const CallResult first = backend.call(next);
  if (first.status != CallStatus::kOk) return {};
  for (int call = 2; call <= kSchedules; ++call) {
    ++next.schedule_seed;
    const CallResult again = backend.call(next);
    if (again.status != CallStatus::kOk) return {};
    const std::string difference = call_difference(first, again, call);
    if (difference.empty()) continue;
    if (backend.library.honours_schedule_seed)
      return "race: the outputs change with the order in which the lanes run (" + difference + ")";
    return "unsteady: the outputs change from call to call; the kernel keeps state between calls, reads unwritten "
           "memory, or has a race (" + difference + ")";
  }
  return {};
}

}  // namespace assay
