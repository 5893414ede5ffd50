// Compares a mutant's answer with the contract's: does some element have no code that both accept? Used by visibility.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// An answer with all of its parts.
using Whole = std::vector<WholePart>;

/// Number of elements that distinguish the mutant from every answer. A kernel with the mutation runs one variant, the first, and
/// must not match any variant of the contract.
int64_t outside_of(const std::vector<Whole>& right, const Whole& edited);

/// Whether an element of the mutant's Hypothesis::first_row distinguishes it, at the place where the correct answer stores it.
bool is_apart_in_first_rows(const Whole& right, const Answer& edited);

/// Steps of a mutant to examine.
enum class Steps { kAll, kFirst };

/// Whether some element distinguishes the mutant from each answer. The first elements and then the first step show most mutants,
/// so they are tried first; further steps are computed until one shows it. A mutant that moves its elements is computed
/// completely.
bool is_apart(const std::vector<Whole>& right, const Answer& edited, Steps steps);

}  // namespace assay
