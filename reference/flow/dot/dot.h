// A row of contracts/dot.csv, read: which matrix unit adds the products, when its sums are taken away, how scales join them.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/rows.h"
#include "reference/recipe/cell.h"
#include "reference/recipe/step.h"
#include "reference/units/table.h"

namespace assay {

/// The row of the registry.
const Flow& dot_flow();

/// Of what a scale of a and one of b are.
enum class GemmScales { kTensors, kTokens, kChannels, kTokensAndChannels };

/// D[m, n] = A[m, k] * B[n, k]^T, scaled. Edits change it.
struct DotContract {
  const ContractRow* row = nullptr;
  const UnitRow* unit_row = nullptr;
  Unit unit;
  int64_t promote = 0;  ///< products whose sum is then added to one of f32, which begins with 0; 0: none, one chain of all
  int least_parts = 1,
      most_parts = 1;              ///< that k may be cut into, each a chain or promoted sums, added in f32 in ascending order
  int64_t part_of = 0;             ///< a part is a multiple of so many products; 0: k is not cut
  std::vector<CellStep> y;         ///< from the sum to the result
  std::vector<CellStep> bias;      ///< where there is one, before the last step of y; empty: the contract takes none
  std::vector<GemmScales> scales;  ///< that it takes
  std::vector<const Format*> out;  ///< formats of the result

  /// Whether it takes a and b of integers, whose sums are exact in every order.
  bool of_integers() const { return unit.d->specials == Specials::kInteger; }
  bool takes(GemmScales scales) const;
  bool makes(const Format& y) const;
};

/// "tensor", "token", "channel", "token_channel".
const char* name_of(GemmScales scales);
/// Throws std::out_of_range.
GemmScales gemm_scales_named(const std::string& name);

/// Throws TableError at the cell: a unit that does not exist or of which nothing is predicted, and what a cell may not hold.
DotContract read_dot(const ContractRow& row, const UnitTable& units);

/// The steps from the sum of an element to its result. `y`: the format of the result.
Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias);

/// One way to add: the answer of a contract is that of one of its programs for all elements.
struct DotProgram {
  int64_t promote = 0;  ///< as in the contract; 0 where a part is not longer
  int64_t part = 0;     ///< products of a part of k, the last one may have fewer
  std::string name;     ///< "split-K 2"; empty if k stays whole
};

/// The programs of a contract that differ for that k: the fewest parts first.
std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k);

}  // namespace assay
