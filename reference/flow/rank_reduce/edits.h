// Single-step mistakes of adding up ranks: of a row's cells, and what no cell says.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/rank_reduce/reduce.h"

namespace assay {

/// A contract with one cell edited, or a mistake that no cell says.
struct RankNeighbour {
  std::string name;  ///< "order: absolute -> from_owner", "rank 3 is left out"
  RankReduce contract;
  RankMistake mistake = {};
};

/// Every edit that may matter for so many ranks and elements. `before`: a call was made before with other numbers.
std::vector<RankNeighbour> rank_neighbours(const RankReduce& contract, const Format& x, int world_size, int64_t elements,
                                           bool before);

}  // namespace assay
