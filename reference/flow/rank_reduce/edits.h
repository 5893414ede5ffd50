// Single-step mistakes of adding up ranks: other cells of a row, and steps that no cell says.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/rank_reduce/rank_reduce.h"

namespace assay {

/// A contract with one cell edited, or with one step more.
struct RankNeighbour {
  std::string name;  ///< "order: absolute -> from_owner", "rank 3 is left out"
  RankReduce contract;
  bool hidden_by_residual = false;  ///< it shows in signs of zeros and in subnormal numbers, which adding a residual hides
};

/// Every edit that may matter for so many ranks and elements. `before`: a call was made before with other numbers.
std::vector<RankNeighbour> rank_neighbours(const RankReduce& contract, const Format& x, int world_size, int64_t elements,
                                           bool before);

}  // namespace assay
