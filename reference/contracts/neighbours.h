// Single-step edits of a contract: what it would be with one mistake. They measure a data set's power, tell whether a case can fail
// at all, and are the hypotheses of the diagnosis. Nothing here knows a contract, a fault or a kernel.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/bind.h"

namespace assay {

struct Neighbour {
  std::string name;  ///< "scale: pow2(ceil) -> pow2(floor)"; a step that stands in its cell twice gives its edits twice
  Contract contract;
};

/// Edits of every cell of every row of the contract: drop a step, swap a verb, take the next constant that a sibling row uses, round
/// once more, exchange neighbours of an addition, ignore the data, take the amax over two groups or over half of one. Sorted as the cells stand in the row.
std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x);

}  // namespace assay
