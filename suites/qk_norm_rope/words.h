// Trace of one number of a head.
#pragma once

#include <string>
#include <vector>

#include "suites/qk_norm_rope/head_case.h"

namespace assay {

/// `column` counts across the heads of the token.
std::vector<std::string> trace_head(const HeadCase& c, const Problem& problem, int64_t token, int64_t column);

}  // namespace assay
