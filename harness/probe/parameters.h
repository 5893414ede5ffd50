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

/// An order in which an instruction may take its products.
struct UnitOrder {
  int interleave_period = 0, interleave_width = 0, take = 0, splits = 1;
};
/// Those that differ: of trees in the order of places, of others in which places are one part of which block.
std::vector<UnitOrder> unit_orders(int k, bool of_trees, int most_splits);
void set_order(Unit& unit, const UnitOrder& order);

/// For each place the first one that may change places with it, whatever the numbers are: of the same part of a block, and in a
/// tree the neighbour.
std::vector<int> alike_places(const Unit& unit);

/// A unit with the operands of the instruction and the plainest steps: everything in one aligned sum.
Unit plain_unit(const Instruction& instruction);

}  // namespace assay
