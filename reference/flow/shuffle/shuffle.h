// A contract of the flow "shuffle": the elements of a weight in another order, none changed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/formats/format.h"

namespace assay {

/// The row of the registry.
const Flow& shuffle_flow();

struct WeightMove {
  WeightShuffle shuffle;
  bool back = false;                   ///< from the shuffled order into rows
  std::vector<const Format*> formats;  ///< of the elements

  bool moves(const Format& x) const;
};

/// Throws TableError.
WeightMove read_shuffle(const ContractRow& row);

/// A weight [experts, n, k] of elements of so many bytes: n rows of each expert. An expert's elements stay its own.
struct ShuffleExtents {
  Groups experts;
  int64_t k = 0;
  int bytes = 1;

  int64_t n() const { return experts.sizes().front(); }
  int64_t elements() const { return experts.rows() * k; }
};

/// Of each element of the result, in the order of memory, which one of x it is, likewise.
std::vector<int64_t> sources_of(const WeightMove& move, const ShuffleExtents& extents);

/// A move with one mistake.
struct ShuffleNeighbour {
  std::string name;  ///< "tile: 32 rows"
  std::vector<int64_t> sources;
};

/// Every mistake that moves some element elsewhere for these extents; of several that do the same the first.
std::vector<ShuffleNeighbour> shuffle_neighbours(const WeightMove& move, const ShuffleExtents& extents);

/// The contract in words.
std::vector<std::string> shuffle_lines(const WeightMove& move);

}  // namespace assay
