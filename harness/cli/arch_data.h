// The calls by which units are compared with their rows: seven kinds of data and special values, in chains of several lengths.
#pragma once

#include <array>
#include <span>
#include <string>

#include "suites/mma/mma_case.h"

namespace assay {

/// A distribution that units were measured with, as fills of a, b, c and scales.
struct UnitFills {
  const char *words, *a, *b, *c, *scale;
};

/// All of them, or of a unit of integers, whose bits are one distribution, the first.
std::span<const UnitFills> fills_of(const Unit& unit);

/// Instructions one after the other, each with the result of the one before as its c.
inline constexpr std::array<int64_t, 4> kUnitChains = {1, 2, 4, 128};

/// What a chip was asked: `elements` or a few more of d, in tiles of m x n, made by `seed`.
struct UnitCalls {
  const UnitRow* row = nullptr;
  const UnitFills* fills = nullptr;
  int64_t m = 0, n = 0, elements = 0;
  uint64_t seed = 0;

  MmaCase chain(int64_t steps) const;
};

/// d as the unit's row says, and how bits are told apart that are too many to keep: XXH3 of d as it lies in memory.
HostTensor predicted_d(const MmaCase& c, const Problem& problem);
uint64_t digest_of(const HostTensor& d);

}  // namespace assay
