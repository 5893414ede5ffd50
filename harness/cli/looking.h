// What a run asks of the diagnosis for each verdict.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/run_case.h"

namespace assay {

/// Faults that a case cannot see. Cases that differ in warp alone share their data, so each data set is looked at once.
std::function<std::vector<std::string>(const Evidence&)> blindness();

/// Fills in the causes of a failure whose outputs are there.
void look_for_causes(const Evidence& evidence, Verdict& verdict);

}  // namespace assay
