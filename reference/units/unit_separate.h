// Searches for a small input for which two instruction models return different results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

struct UnitWitness {
  std::vector<uint32_t> a, b;  ///< codes for a common multiple of both instructions' k; zero except where needed
  std::vector<uint32_t> a_scales, b_scales;
  uint32_t c = 0;
  uint32_t first = 0, second = 0;  ///< the result of each instruction
};

/// A kind of random data, the number of elements computed from it, and how many differ between the two models.
struct UnitDifference {
  std::string data;
  int64_t elements = 0, differ = 0;
};

struct UnitSeparation {
  std::vector<UnitDifference> data;    ///< all kinds that were tried
  std::optional<UnitWitness> witness;  ///< none: no element differed
  int k = 0;                           ///< products per element
};

/// Runs several kinds of random data through both models, with the same seed. Simplifies the first element of each kind for which
/// the results differ, while they still differ: c and factors become 0; other factors become 1, a power of two, or a value with
/// fewer bits. Returns the input with the fewest nonzero codes. Inputs for which both results are numbers are preferred to inputs
/// for which one result is NaN.
///
/// Throws std::invalid_argument if the operand, scale or c formats of the models differ, or if one is undocumented.
UnitSeparation separate_units(const Unit& first, const Unit& second);

/// The first element of this random data for which the results differ, not simplified; none if there is no such element.
std::optional<UnitWitness> first_witness(const Unit& first, const Unit& second);

}  // namespace assay
