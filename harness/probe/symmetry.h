// Properties of an instruction that need no model: which products count, which places of k can be exchanged, and whether c is
// added last.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/probe/data.h"

namespace assay {

/// Whether the product at each place has no effect, from observations of kind "alone". If no product has an effect, none is
/// marked.
std::vector<bool> dead_places(const Instruction& instruction, const Observation& alone);

/// For each place, the first place it can be exchanged with without changing any bit. Places that differ here are different;
/// places that look alike may still differ on other data.
std::vector<int> places_alike(const Instruction& instruction, const Ask& ask, int64_t elements, uint64_t seed);

/// True if every result was the IEEE sum of c and the result of the same products with c = 0.
bool adds_c_at_the_end(const Instruction& instruction, const Ask& ask, int64_t elements, uint64_t seed);

/// Whether places that are alike in `fine` are also alike in `coarse`.
bool refines(const std::vector<int>& fine, const std::vector<int>& coarse, const std::vector<bool>& dead);

}  // namespace assay
