// What a tensor core makes of the tiles of a case, and its mistakes.
#pragma once

#include <optional>

#include "harness/core/op.h"
#include "suites/mma/mma_case.h"

namespace assay {

/// What a kernel does around the unit, which has steps of its own. No contract says any.
struct TileStep {
  enum Kind {
    kDropProduct,  ///< product `product` of every instruction is left out
    kRoundC,       ///< each c is rounded to f16 before its instruction
    kZeroC,        ///< the first instruction begins with 0
    kLastKFirst,   ///< instructions in descending k
    kSignZeros     ///< a zero is -0 where no term is positive
  } kind;
  int product = 0;
};

/// Every element has one code, NaN told apart by theirs.
Expectation expect_tiles(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step = std::nullopt);

std::vector<Hypothesis> mma_hypotheses(const MmaCase& c);

}  // namespace assay
