// Loads only the case tables of the ops that a selection names.
#pragma once

#include <span>
#include <vector>

#include "harness/cli/places.h"
#include "harness/core/cases.h"
#include "harness/core/op.h"

namespace assay {

/// Opens the rulebook and loads the tables of --cases, or those that are shipped with these ops, checked. Throws TableError.
std::vector<Case> open_cases_of(const Suites& suites, std::span<const Op> ops);

/// As open_cases(), without the tables of ops whose cases the selection cannot hold: they are most of the time that a short command
/// takes. A suite or a glob that begins with no op's name and '/' may hold cases of all.
std::vector<Case> open_cases_for(const Suites& suites, const Selection& selection);

}  // namespace assay
