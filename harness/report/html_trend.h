// What changed since an earlier run, as a section of the HTML report.
#pragma once

#include <string>

#include "harness/report/trend.h"

namespace assay::html {

/// Counts, and the cases that changed in lists that are folded away.
std::string trend_text(const RunResult& result, const EarlierRun& earlier);

}  // namespace assay::html
