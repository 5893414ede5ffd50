// Inputs for single instructions. They are chosen so that models that differ in one step return different bits.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "harness/probe/instruction.h"

namespace assay {

/// One kind of input.
struct ProbeData {
  std::string_view name;
  std::string_view shows;  ///< what it reveals
  bool special;            ///< some operands are NaN or Inf
};

/// All kinds, most independent first.
std::span<const ProbeData> probe_data();

/// Tiles of that kind. Positions of products are random per tile, and numbers per row and column, so that every element of a tile
/// is a different test. Throws std::out_of_range for an unknown kind.
Tiles probe_tiles(std::string_view kind, const Instruction& instruction, int64_t tiles, uint64_t seed);

/// Inputs and the results that the instruction returned.
struct Observation {
  std::string_view kind;
  Tiles tiles;
  std::vector<uint32_t> d;
};

/// Number of elements for which the model predicts another result; counting stops above `most`.
int64_t mismatches(const Unit& unit, const Observation& seen, int64_t most);

/// Number of tiles with about that many elements.
int64_t tiles_for(const Instruction& instruction, int64_t elements);

}  // namespace assay
