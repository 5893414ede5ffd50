// All failures of a run, as sections of the HTML report.
#pragma once

#include <string>

#include "harness/core/run.h"

namespace assay::html {

/// A table of causes, then the failures: kFullSections in full, the others in a line each. Empty if nothing failed.
std::string failures(const RunResult& result);

}  // namespace assay::html
