// A row of contracts/rank_norm.csv: an all-reduce, and what every rank makes of its rows.
#pragma once

#include <string>

#include "reference/contracts/rows.h"

namespace assay {

/// The row of the registry.
const Flow& rank_norm_flow();

/// Ids of both, in the order in which they run.
struct RankNorm {
  std::string reduce, then;
};
RankNorm read_rank_norm(const ContractRow& row);

}  // namespace assay
