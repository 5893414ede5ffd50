// How much a contract leaves open on realistic shapes: a check that accepts more than necessary is weak.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Markdown table over the subsamples of these cases, one row per op, output and format: contracts, elements, the share of
/// elements with one accepted code, and for the loosest contract that share and the median and largest interval width in codes.
/// Cases that differ only in warp size count once. Elements that a contract leaves undefined have no width and count as open.
std::string sharpness_table(std::span<const Op> ops, const std::vector<Case>& cases);

}  // namespace assay
