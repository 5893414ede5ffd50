// Checks whether wrong outputs change when the call is repeated. On a back end with a schedule of its own (honours_schedule_seed)
// that is a race between lanes; on others the reason remains open.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Repeats a call under other schedules. Empty if the bits stay the same; otherwise a cause as text: "race: ... q at storage
/// element 7: ...", or "unsteady: ..." if the library has no schedule that could have changed.
std::string race_in_words(const Backend& backend, const CallRequest& request);

}  // namespace assay
