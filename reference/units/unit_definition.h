// The definition of every tensor core instruction: its row, step by step, in exact numbers. Slow; unit_predict.h is fast and
// shares no code with it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// The operand codes of one element; a[i] is multiplied by b[i]. One scale per scale_block codes; none for a unit without scales.
struct UnitElement {
  std::span<const uint32_t> a, b;
  std::span<const uint32_t> a_scales = {}, b_scales = {};
};

/// The result code of one element. Runs as many instructions as the products need, each with the previous result as its c; the
/// last one is padded with zeros. tf32 codes have 19 bits. Throws std::invalid_argument for an undocumented instruction and for
/// sizes that do not match.
uint32_t defined_element(const Unit& unit, const UnitElement& element, uint32_t c);

/// A term of a sum, as the definition computed it.
struct UnitTermSeen {
  int k = -1;          ///< index of the product, or of the first one in its group; -1: not a product
  bool is_c = false;   ///< if k is -1: c, otherwise a sum of products
  double value = 0;    ///< exact, for c before truncation
  int exponent = 0;    ///< used for alignment
  double kept = 0;     ///< after truncation
};

/// One block of an instruction.
struct UnitBlockSeen {
  std::vector<int> ks;               ///< k of its products, in order
  double c = 0;
  std::vector<UnitTermSeen> terms;   ///< empty if something is NaN or Inf, and for units that do not align
  int largest = 0;                   ///< exponent to which terms were aligned
  double sum = 0;                    ///< sum of the kept values
  double d = 0;                      ///< rounded result
};

/// The steps of the definition for one element, block by block. A final addition of c is a block without products.
std::vector<UnitBlockSeen> seen_element(const Unit& unit, const UnitElement& element, uint32_t c);

}  // namespace assay
