// What the cells of a unit leave open, as numbers: each parameter with its values and the inputs on which it is decided.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/instruction.h"

namespace assay {

struct UnitParameter {
  std::string_view name;               ///< "fraction bits of a term"
  std::string_view cell;               ///< column of units.csv that it stands in
  std::vector<std::string_view> data;  ///< kinds of probe_data() that are made for it
  /// Values it may have, the plainest first; empty where a unit of that shape has no such parameter.
  std::vector<int> (*values)(const Instruction& instruction, const Unit& unit);
  int (*get)(const Unit& unit);
  void (*set)(Unit& unit, int value);
  bool is_number;           ///< neighbouring values do nearly the same
  bool of_several = false;  ///< stands for two others, whose values can make up for each other
};

/// Every parameter, in the order in which they are decided.
std::span<const UnitParameter> unit_parameters();

/// A unit with the operands of the instruction and the plainest steps: everything in one aligned sum.
Unit plain_unit(const Instruction& instruction);

}  // namespace assay
