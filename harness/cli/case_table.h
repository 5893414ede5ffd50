// Writes cases as a table that --cases reads.
#pragma once

#include <string>

#include "harness/core/op.h"

namespace assay {

/// Header and row of one case. Its `blind_to` cell, the mutants that its data do not kill, is computed.
std::string case_table(const Op& op, const Case& one, const std::string& why);

}  // namespace assay
