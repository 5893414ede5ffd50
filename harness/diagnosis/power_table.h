// The mutation scores of the case tables as a Markdown table: which input generators kill which mutants.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/power.h"
#include "harness/core/op.h"

namespace assay {

/// For each op, a table of mutants (rows) by data (columns, mostly input generators). Mutants of one kind with equal results
/// share a row. A cell counts the contracts that have the mutant and a case with such data, and in how many of them some case
/// kills it. Below the table: equivalent mutants with their justification. Cases that differ only in warp size count once.
/// `power`: mutation score of a case, as power_to_record() computes it.
std::string power_table(std::span<const Op> ops, const std::vector<Case>& cases, const std::function<Power(const Case&)>& power);

}  // namespace assay
