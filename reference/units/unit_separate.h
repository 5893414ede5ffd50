// Finds a small input for which two units return different results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

struct UnitWitness {
  std::vector<uint32_t> a, b;  ///< codes, as many as both units take in one instruction; zero except where needed
  std::vector<uint32_t> a_scales, b_scales;
  uint32_t c = 0;
  uint32_t first = 0, second = 0;  ///< the result of each unit
};

/// A kind of random data, and the number of elements that differ.
struct UnitDifference {
  std::string data;
  int64_t elements = 0, differ = 0;
};

struct UnitSeparation {
  std::vector<UnitDifference> data;    ///< all kinds that were tried
  std::optional<UnitWitness> witness;  ///< none: no element differed
  int k = 0;                           ///< products per element
};

/// Runs several kinds of random data through both units, with the same seed for both. The first differing element of each kind is
/// reduced: as long as the units still differ, c and products are set to 0, and other factors to 1, a power of two, or a number
/// with fewer bits. The witness is the one with the fewest nonzero codes.
///
/// Throws std::invalid_argument if the units differ in the formats of factors, scales or c, or if one is unknown.
UnitSeparation separate_units(const Unit& first, const Unit& second);

/// The first differing element of the same data, not reduced; none if no element differs.
std::optional<UnitWitness> first_witness(const Unit& first, const Unit& second);

}  // namespace assay
