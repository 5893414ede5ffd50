// GEMM contracts as text: the formula, and real-world algorithms that are not modelled.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/dot/dot_contract.h"

namespace assay {

// Every way in which a GEMM may have been added and scaled, as far as rows and units know any.

/// How a promoted sum joins acc where no scale does.
std::vector<CellStep> plain_join();

/// Every order in which the two scales of a block and acc meet a promoted sum.
std::vector<std::vector<CellStep>> block_joins();

/// Contracts like the one, of every unit that takes its formats, promoted or not, with parts of k and with every order of scales.
std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units);

/// "UNIT, promoted every 128, split-K 2, (acc * sb) * sa".
std::string dot_way_words(const DotContract& way, const DotProgram& program);

// A GEMM in words.

/// The contract, a line a step, as formulas; the unit's own lines are those of units/unit_table.h.
std::vector<std::string> dot_lines(const DotContract& contract);

}  // namespace assay
