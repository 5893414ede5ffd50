// What a run asks of the diagnosis for each verdict.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/run/run_case.h"

namespace assay {

/// What the data of a case can show. Cases that differ in warp alone share their data, so each data set is looked at once.
/// `recorded`: what was computed before; nullptr of other cases.
std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded);

/// The same library behind a lock, for calls that the diagnosis makes beside those of the run.
Backend shared_between_threads(Backend backend);

/// Fills in the causes of a failure whose outputs are there. `backend` must be shared between threads.
std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend);

}  // namespace assay
