// One step of fitting a model to observations: chooses the value of one parameter, or of two.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "harness/probe/fit.h"
#include "harness/probe/parameters.h"

namespace assay {

/// Chooses the value of a parameter that explains most of the inputs of these kinds (empty: all kinds). Prefers the current value
/// in a tie, then the first one. Returns true if it changed.
bool decide(const UnitParameter& parameter, const Instruction& instruction, const Seen& seen, std::span<const std::string_view> kinds, Unit& unit,
            int64_t& unexplained);

/// Chooses two numeric parameters of the sum together, for each pair of them: one may lose more bits if the other keeps more, so
/// that changing one alone does not help. Returns true if fewer elements are unexplained.
bool decide_any_two(const Instruction& instruction, const Seen& seen, Fit& fit);

}  // namespace assay
