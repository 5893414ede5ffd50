// One case of op mma, parsed and validated: a tensor core instruction, the tiles, and their generators.
#pragma once

#include <string>

#include "harness/core/bound_case.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

struct MmaCase {
  const UnitRow* row = nullptr;  ///< the contract
  int64_t tiles = 0, m = 0, n = 0;
  int64_t steps = 0;       ///< consecutive instructions; each takes the previous result as its c
  std::string fill, b, c;  ///< generators of a, b and c
  std::string scale;       ///< generator of both scales; empty for an instruction without scales
  uint64_t seed = 0;
  int warp = 0;

  const Unit& unit() const { return row->unit; }
  int64_t k() const { return steps * unit().k; }
  int64_t scales() const { return unit().scale ? k() / unit().scale_block : 0; }  ///< scales per row
};

/// Throws TableError naming row and column: a contract that is not an instruction or has no model, or scales that it does not
/// have or lacks.
MmaCase read_mma_case(const Case& c);

/// c, a, b, scales if the instruction has them, and d.
Problem mma_problem(const MmaCase& c);

/// The operands of one tile of a problem.
UnitProduct tile_of(const MmaCase& c, const Problem& problem, int64_t tile);

}  // namespace assay
