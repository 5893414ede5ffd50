// Whether wrong outputs change when the same call is made again. On a back end that declares a schedule of its own
// (honours_schedule_seed) that is a race between lanes; of another nobody can tell what it is.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Repeats a call under other schedules. Empty if its bits stay, else a cause in words: "race: ... q at storage element 7:
/// ...", or "unsteady: ..." where the library has no schedule that could have changed.
std::string race_in_words(const Backend& backend, const CallRequest& request);

}  // namespace assay
