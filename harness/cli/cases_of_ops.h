// Loads only the case tables of the ops that a selection names.
#pragma once

#include <span>
#include <vector>

#include "harness/core/cases.h"
#include "harness/core/op.h"

namespace assay {

/// Opens the contract registry and loads the tables of --cases, or else the shipped tables of these ops. Throws TableError.
std::vector<Case> open_cases_of(std::span<const Op> ops);

/// Like open_cases(), but skips tables of ops that the selection cannot contain: loading takes most of the time of a short
/// command. A suite or glob that does not begin with an op's name and '/' may contain cases of every op.
std::vector<Case> open_cases_for(const Selection& selection);

}  // namespace assay
