// Cases as a table that --cases reads.
#pragma once

#include <string>

#include "harness/core/op.h"

namespace assay {

/// Head and row of one case, with the faults that its data do not show, computed.
std::string case_table(const Op& op, const Case& one, const std::string& why);

}  // namespace assay
