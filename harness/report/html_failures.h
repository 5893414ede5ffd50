// All failures of a run by cause, as sections of the HTML report.
#pragma once

#include <string>
#include <vector>

#include "harness/core/run.h"
#include "harness/report/failure_groups.h"

namespace assay::html {

/// A line for each cause with a link to its card. Empty if nothing failed.
std::string cause_table(const RunResult& result, const std::vector<FailureGroup>& groups);

/// A card for each cause: its first failure in full, the others in a list that is folded away, by kernel if there are several.
std::string cause_cards(const RunResult& result, const std::vector<FailureGroup>& groups);

}  // namespace assay::html
