// Calls that compare instructions with their models: seven kinds of data plus special values, in chains of several lengths.
#pragma once

#include <array>
#include <span>
#include <string>

#include "suites/mma/mma_case.h"

namespace assay {

/// One kind of data, as input generators of a, b, c and scales.
struct UnitFills {
  const char *words, *a, *b, *c, *scale;
};

/// All kinds of data. For an integer instruction only the first: random bits cover it.
std::span<const UnitFills> fills_of(const Unit& unit);

/// Chain lengths: each instruction takes the result of the previous one as its c.
inline constexpr std::array<int64_t, 4> kUnitChains = {1, 2, 4, 128};

/// One set of calls: at least `elements` elements of d, in tiles of m x n, generated from `seed`.
struct UnitCalls {
  const UnitRow* row = nullptr;
  const UnitFills* fills = nullptr;
  int64_t m = 0, n = 0, elements = 0;
  uint64_t seed = 0;

  MmaCase chain(int64_t steps) const;
};

/// d as the model predicts it. Results too large to store are compared by XXH3 of d in memory order.
HostTensor predicted_d(const MmaCase& c, const Problem& problem);
uint64_t digest_of(const HostTensor& d);

}  // namespace assay
