// How much a contract leaves open, on real shapes: a check that accepts more than it must is no check.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Markdown: for each op, output and format of it, over the excerpts of these cases: contracts, elements, the share of elements
/// that may have one code only, and the same of the loosest contract with the median and the greatest width of its sets, in
/// codes. Cases that differ in warp alone count once. Elements that a contract leaves undefined have no width and count as open.
std::string sharpness_table(std::span<const Op> ops, const std::vector<Case>& cases);

}  // namespace assay
