// Every way in which a matrix product may have been added and scaled, as far as rows and units know any.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/dot/dot.h"

namespace assay {

/// Contracts like the one, of every unit that takes its formats, promoted or not, and with every order of scales.
std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units);

/// "UNIT, promoted every 128, split-K 2, (acc * sb) * sa".
std::string dot_way_words(const DotContract& way, const DotProgram& program);

}  // namespace assay
