// Verdicts by contract, as a section of the HTML report.
#pragma once

#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/run/run.h"

namespace assay::html {

/// Ops and contracts by standing, with links to the cards of failures. Warp sizes with equal counts share a line. Contracts that
/// the library does not offer are collapsed.
void matrix(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

}  // namespace assay::html
