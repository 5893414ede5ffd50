// What the data of a run can show, as a section of the HTML report.
#pragma once

#include "harness/core/run.h"
#include "harness/report/html_parts.h"

namespace assay::html {

/// A row for each output tensor of each contract, over the data sets of its cases. Nothing if no power was computed.
void power(Node section, const RunResult& result);

}  // namespace assay::html
