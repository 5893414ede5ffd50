// All failures of a run by cause, as sections of the HTML report.
#pragma once

#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/run/run.h"

namespace assay::html {

/// A line for each cause with a link to its card.
void cause_table(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

/// A card for each cause: its first failure in full, the others in a list that is folded away, by kernel if there are several.
void cause_cards(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

}  // namespace assay::html
