// A contract of op kind "shuffle": reorders the elements of a weight without changing them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/formats/format.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& shuffle_flow();

struct WeightMove {
  WeightShuffle shuffle;
  bool back = false;                   ///< true: from the shuffled to the row-major order; false: the reverse
  std::vector<const Format*> formats;  ///< formats of the elements

  bool moves(const Format& x) const;
};

/// Throws TableError.
WeightMove read_shuffle(const ContractRow& row);

/// A weight [experts, n, k] whose elements have `bytes` bytes; n rows per expert. No element moves to another expert.
struct ShuffleExtents {
  Groups experts;
  int64_t k = 0;
  int bytes = 1;

  int64_t n() const { return experts.sizes().front(); }
  int64_t elements() const { return experts.rows() * k; }
};

/// For each element of the result, in memory order: the index in x of the element that is moved there.
std::vector<int64_t> sources_of(const WeightMove& move, const ShuffleExtents& extents);

/// A reordering with one mistake.
struct ShuffleNeighbour {
  std::string name;  ///< such as "tile: 32 rows"
  std::vector<int64_t> sources;
};

/// Every mutant that moves some element to another place, for these extents. Contains only the first of several mutants with
/// equal results.
std::vector<ShuffleNeighbour> shuffle_neighbours(const WeightMove& move, const ShuffleExtents& extents);

/// The contract as text.
std::vector<std::string> shuffle_lines(const WeightMove& move);

}  // namespace assay
