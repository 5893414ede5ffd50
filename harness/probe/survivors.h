// Models that differ from the fitted one in one parameter and explain the observations equally well.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/probe/fit.h"
#include "reference/units/unit_separate.h"

namespace assay {

/// All such models for one parameter.
std::vector<Unit> survivors(const UnitParameter& parameter, const Instruction& instruction, const Unit& unit, const Seen& seen);

/// For a numeric parameter, the most distant value: if no input distinguishes it, none distinguishes the values between. `left`
/// must not be empty.
Unit farthest(const UnitParameter& parameter, const Unit& unit, const std::vector<Unit>& left);

/// No input distinguishes `other` from the model: moves its value (and for a numeric parameter the values between) from `left`
/// to `equal`.
void keep_equal(const UnitParameter& parameter, const Unit& unit, const Unit& other, std::vector<Unit>& left,
                std::set<int>& equal);

/// A tile with the operands of a distinguishing input.
Tiles tiles_of(const UnitWitness& witness, const Instruction& instruction);

/// "least(-400) .. least(-134)" for consecutive values; other values are listed one by one.
std::string words_of(const UnitParameter& parameter, const Unit& unit, const std::set<int>& equal);

}  // namespace assay
