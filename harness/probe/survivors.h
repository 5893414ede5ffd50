// Units that differ from the one found in one parameter and explain as much of what was seen.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/probe/fit.h"
#include "reference/units/unit_separate.h"

namespace assay {

/// Every such unit, of one parameter.
std::vector<Unit> survivors(const UnitParameter& parameter, const Instruction& instruction, const Unit& unit, const Seen& seen);

/// Of a number the value that is farthest away: if nothing tells it apart, nothing tells those between. `left` is not empty.
Unit farthest(const UnitParameter& parameter, const Unit& unit, const std::vector<Unit>& left);

/// Nothing tells `other` from the unit: its value, and of a number those between, go from `left` to `equal`.
void keep_equal(const UnitParameter& parameter, const Unit& unit, const Unit& other, std::vector<Unit>& left,
                std::set<int>& equal);

/// A question that one tile asks.
Tiles tiles_of(const UnitWitness& witness, const Instruction& instruction);

/// "least(-400) .. least(-134)" of neighbours, each other value by itself.
std::string words_of(const UnitParameter& parameter, const Unit& unit, const std::set<int>& equal);

}  // namespace assay
