// What a matrix unit makes of the tiles of a case, and its mistakes.
#pragma once

#include "harness/core/op.h"
#include "suites/mma/mma_case.h"

namespace assay {

/// What somebody may do wrong besides the steps of the unit.
struct MmaMistake {
  int dropped = -1;              ///< this product of every instruction is left out
  bool f16_accumulator = false;  ///< each c is rounded to f16 before its instruction
  bool zero_c = false;           ///< the first instruction begins with 0
  bool steps_backwards = false;  ///< the last k first
  bool signed_zeros = false;     ///< a zero is -0 where no term is positive
};

/// Every element has one code, NaN told apart by theirs.
Expectation expect_tiles(const MmaCase& c, const Unit& unit, const Problem& problem, const MmaMistake& mistake = {});

std::vector<Hypothesis> mma_hypotheses(const MmaCase& c);

}  // namespace assay
