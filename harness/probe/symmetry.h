// What an instruction shows of itself before any rule for its sums is supposed: which products count, which may change places,
// whether c is added when all else is done.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/probe/data.h"

namespace assay {

/// Whether the product at each place has an effect, from observations of the kind "alone". Where none has, none is dead.
std::vector<bool> dead_places(const Instruction& instruction, const Observation& alone);

/// For each place the first one with which it may change places: no bit changed on any data. Places that a rule tells apart may
/// look alike here, if no data showed it; those that differ here differ.
std::vector<int> places_alike(const Instruction& instruction, const Ask& ask, int64_t elements, uint64_t seed);

/// True if the result was always the IEEE sum of c and of what the same products make of c = 0.
bool adds_c_at_the_end(const Instruction& instruction, const Ask& ask, int64_t elements, uint64_t seed);

/// Whether places that are alike in one list are alike in the other.
bool refines(const std::vector<int>& fine, const std::vector<int>& coarse, const std::vector<bool>& dead);

}  // namespace assay
