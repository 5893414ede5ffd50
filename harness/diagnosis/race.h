// Whether wrong outputs come from a race: on a back end with a schedule of its own they change with the order of the lanes.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Repeats a call under other schedules. Empty if its bits stay, else a cause in words: "race: ... q at storage element 7: ...".
std::string race_in_words(const Backend& backend, const CallRequest& request);

}  // namespace assay
