// Orders in which an instruction may take its products.
#pragma once

#include <vector>

#include "harness/probe/instruction.h"

namespace assay {

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

}  // namespace assay
