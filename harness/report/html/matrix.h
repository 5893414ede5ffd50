// The verdicts of a run by contract, as a section of the HTML report.
#pragma once

#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/run/run.h"

namespace assay::html {

/// Op and contract by standing, with links to the cards of what failed. Warp sizes that agree share a line; contracts that the
/// library offers nothing for are folded away.
void matrix(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

}  // namespace assay::html
