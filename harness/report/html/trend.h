// Changes since an earlier run, as a section of the HTML report.
#pragma once

#include "harness/report/html/parts.h"
#include "harness/report/trend.h"

namespace assay::html {

/// Counts, and the cases that changed in collapsed lists.
void trend(Node section, const RunResult& result, const EarlierRun& earlier);

}  // namespace assay::html
