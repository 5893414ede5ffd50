// The definition of every matrix unit: its row, step by step, in exact numbers. Slow; predict.h is fast and shares nothing with
// it.
#pragma once

#include <cstdint>
#include <span>

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

}  // namespace assay
