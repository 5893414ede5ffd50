// Finds a small input for which two instruction models return different results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

struct UnitWitness {
  std::vector<uint32_t> a, b;  ///< codes, as many as both instructions take; zero except where needed
  std::vector<uint32_t> a_scales, b_scales;
  uint32_t c = 0;
  uint32_t first = 0, second = 0;  ///< the result of each instruction
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

/// Runs several kinds of random data through both instruction models, with the same seed. Reduces the first differing element of
/// each kind: as long as the models still differ, sets c and products to 0, and other operands to 1, a power of two, or a value
/// with fewer bits. The chosen input has the fewest nonzero codes. Inputs with different numbers as results are preferred to
/// inputs that differ only in the bits of a NaN.
///
/// Throws std::invalid_argument if the instructions differ in the formats of operands, scales or c, or if one is undocumented.
UnitSeparation separate_units(const Unit& first, const Unit& second);

/// The first differing element of the same data, not reduced; none if no element differs.
std::optional<UnitWitness> first_witness(const Unit& first, const Unit& second);

}  // namespace assay
