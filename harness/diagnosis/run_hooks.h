// Functions that a run calls for each verdict.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/run/run_case.h"

namespace assay {

/// Mutation score of a case's data. Cases that differ only in warp size share data, so each data set is analysed once. `recorded`
/// returns an earlier result, or nullptr.
std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded);

/// The same library behind a mutex, so that the diagnosis can make calls during a run.
Backend shared_between_threads(Backend backend);

/// Sets the causes of a failure that has outputs. `backend` must be thread-safe.
std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend);

}  // namespace assay
