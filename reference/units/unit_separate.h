// An input that tells two units apart, as small as it was found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

struct UnitWitness {
  std::vector<uint32_t> a, b;  ///< codes, as many as both units take at once; zero but where it matters
  std::vector<uint32_t> a_scales, b_scales;
  uint32_t c = 0;
  uint32_t first = 0, second = 0;  ///< what each of the units returns
};

/// A kind of data, and how many elements of it differ.
struct UnitDifference {
  std::string data;
  int64_t elements = 0, differ = 0;
};

struct UnitSeparation {
  std::vector<UnitDifference> data;    ///< everything that was tried
  std::optional<UnitWitness> witness;  ///< none: no element differed
  int k = 0;                           ///< products of each
};

/// Elements of several kinds of random data through both units, with the same seed each time. The first that differs of each kind
/// is made smaller: as long as the units still differ, c and products become 0, and what is left becomes 1, a power of two, or a
/// number of fewer bits. The witness is the one with the fewest codes that are not 0.
///
/// Throws std::invalid_argument if the units do not take the same factors, scales and c, or one is unknown.
UnitSeparation separate_units(const Unit& first, const Unit& second);

/// The first element of the same data on which they differ, as it was drawn; none after all of it.
std::optional<UnitWitness> first_witness(const Unit& first, const Unit& second);

}  // namespace assay
