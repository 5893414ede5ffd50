// The definition of every tensor core: its row, step by step, in exact numbers. Slow; unit_predict.h is fast and shares nothing with
// it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// The codes that make one element: a[i] meets b[i]; one scale for every scale_block of them, none for a unit without scales.
struct UnitElement {
  std::span<const uint32_t> a, b;
  std::span<const uint32_t> a_scales = {}, b_scales = {};
};

/// The code of the element that instructions return one after the other, each with the result of the one before as its c: as many
/// as it takes for all products, the last one filled up with zeros. Of tf32 a code has 19 bits. Throws std::invalid_argument for
/// a unit that is unknown, and for sizes that do not fit together.
uint32_t defined_element(const Unit& unit, const UnitElement& element, uint32_t c);

/// A term of a sum, as the definition saw it.
struct UnitTermSeen {
  int k = -1;          ///< of the product, or of the first of its group; -1: no product
  bool is_c = false;   ///< else, with k -1, it is a sum of products
  double value = 0;    ///< exactly; of c before anything is cut off
  int exponent = 0;    ///< that it is aligned by
  double kept = 0;     ///< what is added
};

/// One block of an instruction.
struct UnitBlockSeen {
  std::vector<int> ks;               ///< of its products, in their order
  double c = 0;
  std::vector<UnitTermSeen> terms;   ///< empty where something is not finite, and of units that do not align
  int largest = 0;                   ///< exponent that terms were aligned to
  double sum = 0;                    ///< of what was kept
  double d = 0;                      ///< rounded
};

/// What the definition did for one element, block by block; an addition of c at the end is a block without products.
std::vector<UnitBlockSeen> seen_element(const Unit& unit, const UnitElement& element, uint32_t c);

}  // namespace assay
