// What a run's data can detect, as a section of the HTML report.
#pragma once

#include "harness/report/html/parts.h"
#include "harness/run/run.h"

namespace assay::html {

/// One row per output tensor of each contract, over the data sets of its cases. Nothing if no mutation score was computed.
void power(Node section, const RunResult& result);

}  // namespace assay::html
