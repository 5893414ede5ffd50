// One case of op mma, read and checked: a matrix unit, the tiles of its instruction, and what fills them.
#pragma once

#include <string>

#include "harness/core/bound_case.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

struct MmaCase {
  const UnitRow* row = nullptr;  ///< the contract
  int64_t tiles = 0, m = 0, n = 0;
  int64_t steps = 0;       ///< instructions one after the other, each with the result of the one before as its c
  std::string fill, b, c;  ///< of a, b, c
  std::string scale;       ///< of both scales; empty for a unit without
  uint64_t seed = 0;
  int warp = 0;

  const Unit& unit() const { return row->unit; }
  int64_t k() const { return steps * unit().k; }
  int64_t scales() const { return unit().scale ? k() / unit().scale_block : 0; }  ///< of a row
};

/// Throws TableError naming row and column: a contract that is no unit or of which nothing is predicted, scales that it has not
/// or lacks.
MmaCase read_mma_case(const Case& c);

/// c, a, b, scales if the unit has them, and d.
Problem mma_problem(const MmaCase& c);

/// The operands of one tile of a problem.
UnitProduct tile_of(const MmaCase& c, const Problem& problem, int64_t tile);

}  // namespace assay
