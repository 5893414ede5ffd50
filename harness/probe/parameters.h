// The free parameters of a tensor core model: their values and the inputs that decide them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/instruction.h"

namespace assay {

struct UnitParameter {
  std::string_view name;               ///< "fraction bits of a term"
  std::string_view cell;               ///< column of units.csv
  std::vector<std::string_view> data;  ///< kinds of probe_data() made for it
  /// Possible values, simplest first; empty if models of that shape lack the parameter.
  std::vector<int> (*values)(const Instruction& instruction, const Unit& unit);
  int (*get)(const Unit& unit);
  void (*set)(Unit& unit, int value);
  bool is_number;           ///< numeric: adjacent values have similar effects
  bool of_several = false;  ///< combines two other parameters that can compensate each other
};

/// All parameters, in the order in which they are decided.
std::span<const UnitParameter> unit_parameters();

/// The simplest model for the operands: everything in one aligned sum.
Unit plain_unit(const Instruction& instruction);

}  // namespace assay
