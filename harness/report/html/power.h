// What the data of a run can show, as a section of the HTML report.
#pragma once

#include "harness/report/html/parts.h"
#include "harness/run/run.h"

namespace assay::html {

/// A row for each output tensor of each contract, over the data sets of its cases. Nothing if no power was computed.
void power(Node section, const RunResult& result);

}  // namespace assay::html
