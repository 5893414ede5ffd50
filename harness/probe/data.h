// Inputs of single instructions, made so that units which differ in one step return different bits.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "harness/probe/instruction.h"

namespace assay {

/// One kind of inputs.
struct ProbeData {
  std::string_view name;
  std::string_view shows;  ///< what it is made for
  bool special;            ///< holds NaN or Inf among the operands
};

/// Every kind, those on which least depends first.
std::span<const ProbeData> probe_data();

/// Tiles of that kind. Positions of products are drawn for each tile, numbers for each row and column, so that every element of a
/// tile is another question. Throws std::out_of_range for an unknown kind.
Tiles probe_tiles(std::string_view kind, const Instruction& instruction, int64_t tiles, uint64_t seed);

/// What the instruction returned for some inputs.
struct Observation {
  std::string_view kind;
  Tiles tiles;
  std::vector<uint32_t> d;
};

/// Elements of them that a unit returns otherwise; counting ends beyond `most`.
int64_t mismatches(const Unit& unit, const Observation& seen, int64_t most);

/// As many tiles as make about so many elements.
int64_t tiles_for(const Instruction& instruction, int64_t elements);

}  // namespace assay
