// Computes every tensor core instruction as its row defines it, step by step, in exact numbers. Slow. unit_predict.h is fast and
// shares no code with this file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// The operand codes of one element of D; a[i] is multiplied by b[i]. One scale per scale_block codes; none without scales.
struct UnitElement {
  std::span<const uint32_t> a, b;
  std::span<const uint32_t> a_scales = {}, b_scales = {};
};

/// The result code of one element. Runs as many instructions as its products need; each takes the previous result as its c. The
/// last instruction is padded with zeros. tf32 codes have 19 bits. Throws std::invalid_argument for an undocumented instruction
/// and for sizes that do not match.
uint32_t defined_element(const Unit& unit, const UnitElement& element, uint32_t c);

/// A term of a sum, as the definition computed it.
struct UnitTermSeen {
  int k = -1;          ///< index of the product, or of the first product of its group; -1: the term is no product
  bool is_c = false;   ///< only if k is -1: true: the term is c; false: it is a partial sum of products
  double value = 0;    ///< exact; for c, its value before truncation
  int exponent = 0;    ///< of this term, as the alignment counts it
  double kept = 0;     ///< value after truncation
};

/// One block of an instruction.
struct UnitBlockSeen {
  std::vector<int> ks;               ///< k of its products, in order
  double c = 0;
  std::vector<UnitTermSeen> terms;   ///< empty if a value is NaN or Inf, and for instructions that do not align terms
  int largest = 0;                   ///< exponent to which terms were aligned
  double sum = 0;                    ///< sum of the kept values
  double d = 0;                      ///< rounded result
};

/// The steps of the definition for one element, block by block. If c is added at the end, a last block without products adds it.
std::vector<UnitBlockSeen> seen_element(const Unit& unit, const UnitElement& element, uint32_t c);

}  // namespace assay
