// What a probe found, in words.
#pragma once

#include <string>
#include <vector>

#include "harness/probe/infer.h"
#include "harness/probe/nearest.h"

namespace assay {

/// A line a cell beside the row that the instruction is called by (nullptr: it knows no steps) and the nearest row, then what is
/// not observable and what no unit explains.
std::vector<std::string> probed_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest);

}  // namespace assay
