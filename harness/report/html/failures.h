// The failures of a run by cause, as sections of the HTML report.
#pragma once

#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/run/run.h"

namespace assay::html {

/// One line per cause, linked to its card.
void cause_table(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

/// One card per cause: its first failure in full, the others in a collapsed list, grouped by kernel if there are several.
void cause_cards(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

}  // namespace assay::html
