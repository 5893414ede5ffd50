// Candidate orders in which an instruction accumulates its products.
#pragma once

#include <vector>

#include "harness/probe/instruction.h"

namespace assay {

/// An order in which an instruction may accumulate its products.
struct UnitOrder {
  int interleave_period = 0, interleave_width = 0, take = 0, splits = 1;
};
/// All distinct orders. For trees, the order of the leaves matters; for others, which k belong to one part of a block.
std::vector<UnitOrder> unit_orders(int k, bool of_trees, int most_splits);
void set_order(Unit& unit, const UnitOrder& order);

/// For each k, the first k that can be exchanged with it without changing any result: of the same part of a block, and for a tree
/// the sibling.
std::vector<int> alike_places(const Unit& unit);

}  // namespace assay
