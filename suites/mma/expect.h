// The accepted results of a tensor core on the tiles of a case, and its mutants.
#pragma once

#include <optional>

#include "harness/core/op.h"
#include "suites/mma/mma_case.h"

namespace assay {

/// Steps of a kernel around the instruction. No contract contains them.
struct TileStep {
  enum Kind {
    kDropProduct,  ///< product `product` of every instruction is dropped
    kRoundC,       ///< each c is rounded to f16 before its instruction
    kZeroC,        ///< the first instruction starts from 0
    kLastKFirst,   ///< instructions run in descending k
    kSignZeros     ///< a zero is -0 if no term is positive
  } kind;
  int product = 0;
};

/// Every element accepts one code; NaN codes are distinguished.
Expectation expect_tiles(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step = std::nullopt);

std::vector<Hypothesis> mma_hypotheses(const MmaCase& c);

}  // namespace assay
