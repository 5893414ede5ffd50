// Every way in which a GEMM may have been added and scaled, as far as rows and units know any.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/dot/dot.h"

namespace assay {

/// How a promoted sum joins acc where no scale does.
std::vector<CellStep> plain_join();

/// Every order in which the two scales of a block and acc meet a promoted sum.
std::vector<std::vector<CellStep>> block_joins();

/// Contracts like the one, of every unit that takes its formats, promoted or not, with parts of k and with every order of scales.
std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units);

/// "UNIT, promoted every 128, split-K 2, (acc * sb) * sa".
std::string dot_way_words(const DotContract& way, const DotProgram& program);

}  // namespace assay
