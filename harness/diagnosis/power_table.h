// Which fills tell which single-step faults from their contract: the power of the case tables, as a table to read.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/power.h"
#include "harness/core/op.h"

namespace assay {

/// Markdown: for each op a table of faults (rows) by the data that it says its cases have, fills mostly (columns). Faults of one kind that every fill treats alike share a
/// row. A cell counts contracts: in how many the fault shows on some case with that fill, of those that have the fault and such a
/// case. After it the faults that no data can show, with the reason. `cases`: as selected; those that differ in warp alone count
/// once. `power`: what a case's data show, as power_to_record() computes it.
std::string power_table(std::span<const Op> ops, const std::vector<Case>& cases, const std::function<Power(const Case&)>& power);

}  // namespace assay
