// Cache of the mutants of contracts, for consecutive cases.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reference/flow/contract_mutants.h"

namespace assay {

/// neighbours() (the mutants) of a contract for that input format. Results for the most recent contracts are cached. Thread-safe.
std::vector<std::shared_ptr<const Neighbour>> contract_edits(const std::string& contract, const Format& x);

}  // namespace assay
