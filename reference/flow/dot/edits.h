// Single-step mistakes of a GEMM: of its unit, of its row, and of what it reads.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/dot/predict.h"

namespace assay {

/// A contract with one cell edited; some edits are what no row may say.
struct DotNeighbour {
  std::string name;  ///< "unit sum: align(13) -> align(12)", "promote: every(128) -> none"
  DotContract contract;
};

/// Every edit whose programs are not those of the contract itself for that k. `y`: the format of the result.
std::vector<DotNeighbour> dot_neighbours(const DotContract& contract, const UnitTable& units, int64_t k, const Format& y,
                                         bool with_bias);

/// Inputs that somebody reads in the wrong place: other inputs for the same contract.
struct DotMisreading {
  std::string name;  ///< "b: read as [k, n]"
  DotInputs (*read)(const DotInputs& right, int64_t products);
  int64_t products = 0;  ///< of a misreading of k how many are left out, of one of tiles their rows
};

/// Those of zero points.
void add_azp_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);
/// Those of scales.
void add_scale_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);

/// Those that change what is read for this shape, of scales too. `unit_k`: products of an instruction; `tile_k`: of a tile of k,
/// or 0.
std::vector<DotMisreading> dot_misreadings(const DotInputs& right, int64_t unit_k, int64_t tile_k);

}  // namespace assay
