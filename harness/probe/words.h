// Reports what a probe found.
#pragma once

#include <string>
#include <vector>

#include "harness/probe/infer.h"
#include "harness/probe/nearest.h"

namespace assay {

/// One line per cell, beside the row that the instruction advertises (nullptr: it has no model) and the nearest row; then
/// parameters that are not observable, and unexplained results.
std::vector<std::string> probed_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest);

}  // namespace assay
