// Single-step edits of the contracts of the open rulebook, found once for the cases that follow each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reference/flow/contract_mutants.h"

namespace assay {

/// neighbours() of a contract for numbers of that format. Those of the contracts that were asked for last are kept. May be called
/// by several threads.
std::vector<std::shared_ptr<const Neighbour>> contract_edits(const std::string& contract, const Format& x);

}  // namespace assay
