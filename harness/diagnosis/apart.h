// An edit's answer is compared with what the contract accepts: does an element have no code that is in both? For visibility.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// An answer of all outputs.
using Whole = std::vector<WholePart>;

/// Elements of all outputs that tell the edit apart from every answer: a kernel with the edit has one program, the first, and may
/// not pass for any of the contract's.
int64_t outside_of(const std::vector<Whole>& right, const Whole& edited);

/// Whether an element of the edit's Hypothesis::first_row tells it apart, in the place where the right answer has it.
bool is_apart_in_first_rows(const Whole& right, const Answer& edited);

/// Steps of an edit that are looked at.
enum class Steps { kAll, kFirst };

/// Whether elements tell the edit apart from each of the answers. Its first elements, and then the first step, show most edits
/// and are looked at by themselves; the other steps are computed until they show it. An edit that moves its elements is looked at
/// whole.
bool is_apart(const std::vector<Whole>& right, const Answer& edited, Steps steps);

}  // namespace assay
