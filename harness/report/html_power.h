// What the data of a run can show, as a section of the HTML report.
#pragma once

#include <string>

#include "harness/core/run.h"

namespace assay::html {

/// A row for each output tensor of each contract, over the data sets of its cases. Empty if no power was reckoned.
std::string power_table(const RunResult& result);

}  // namespace assay::html
