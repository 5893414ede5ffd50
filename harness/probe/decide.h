// One step of fitting a unit to what was seen: the value of a parameter, or of two, that leaves least unexplained.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "harness/probe/fit.h"
#include "harness/probe/parameters.h"

namespace assay {

/// Decides one parameter on inputs of some kinds (none: of all): the value that explains most; of values that explain the same, the present
/// one or the first. True if it changed.
bool decide(const UnitParameter& parameter, const Instruction& instruction, const Seen& seen, std::span<const std::string_view> kinds, Unit& unit,
            int64_t& unexplained);

/// Decides two numbers of sums at once, each pair of them: where one loses more bits the other may keep more, and no single step explains
/// more. True if less is unexplained.
bool decide_any_two(const Instruction& instruction, const Seen& seen, Fit& fit);

}  // namespace assay
