// A row of a table of matrix products, read: which matrix unit adds the products, when its sums leave it, how scales join them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/contracts/rows.h"
#include "reference/flow/dot/k_order.h"
#include "reference/flow/dot/scales.h"
#include "reference/flow/dot/weight.h"
#include "reference/recipe/cell.h"
#include "reference/recipe/step.h"
#include "reference/units/table.h"

namespace assay {

/// What a sum of integers loses before it is scaled, so that a may have zero points: `azp_adj[n]`, which holds one zero point for all times
/// the sums of rows of b, or `azp[m] * azp_adj[n]`.
enum class GemmAzp { kNone, kTensor, kTokens };

/// Where these meet the sum.
enum class AzpPlace {
  kIntegers,  ///< in int32, before anything is rounded
  kFloats,    ///< behind a rounding of both to f32; of edits alone, as is what follows
  kBias       ///< scaled and joined to a bias, which has the format of the result
};

/// How the sums of parts of k meet.
enum class PartSums {
  kF32,      ///< they are added in f32, in ascending order, before the steps of y
  kAtomics,  ///< each is scaled and rounded, and results are added in their own format, in any order, to one that begins with
             ///< +0: atomic additions to d. The numbers of parts are powers of two
  kResults   ///< likewise in ascending order to the first one; of edits alone
};

/// The row of the registry.
const Flow& dot_flow();

/// D[m, n] = A[m, k] * B[n, k]^T, scaled. Edits change it.
struct DotContract {
  const ContractRow* row = nullptr;
  const UnitRow* unit_row = nullptr;
  Unit unit;
  int64_t promote = 0;          ///< products whose sum then joins one of f32, which begins with 0; 0: none, one chain of all
  std::vector<CellStep> join;   ///< from the sum of so many products, and `acc`, to the new acc
  int least_parts = 1,
      most_parts = 1;              ///< that k may be cut into, each a chain or promoted sums, added in f32 in ascending order
  int64_t part_of = 0;             ///< a part is a multiple of so many products; 0: k is not cut
  PartSums part_sums = PartSums::kF32;
  int last_parts_left_out = 0;  ///< so many, if there are more; 0 in all rows
  std::vector<KOrder> orders;   ///< along k, by kernel instance: one of them for all of d; empty: ascending
  bool flushes = false;         ///< subnormal scales, sums and results of f32 are zeros, but for those that fp8 products add up to
  std::vector<CellStep> y;         ///< from the sum to the result
  std::vector<CellStep> bias;      ///< where there is one, before the last step of y; empty: the contract takes none
  std::vector<GemmScales> scales;  ///< that it takes
  std::vector<const Format*> out;  ///< formats of the result
  WeightShuffle shuffle;           ///< of b
  GemmAzp azp = GemmAzp::kNone;
  AzpPlace azp_place = AzpPlace::kIntegers;
  std::vector<std::string> layouts;  ///< of layouts.csv, where scales of blocks of a may lie
  /// Of a kernel or of a unit that nobody knows: contracts one of whose programs made each element; of a unit the row with each
  /// of its candidates. What stands above is then that of the first one, but for row, unit_row, scales, out and layouts; a kernel
  /// that nobody knows takes no bias.
  std::vector<DotContract> members = {};

  bool unknown() const { return !members.empty(); }
  /// Whether the row says all but how its unit adds.
  bool of_unknown_unit() const { return unknown() && members.front().row == row; }

  /// Whether atomics add the results of parts.
  bool has_atomics() const { return part_sums == PartSums::kAtomics; }
  /// Whether it takes a and b of integers, whose sums are exact in every order.
  bool of_integers() const { return unit.d->is_integer(); }
  /// Whether scales change along k and join each promoted sum; else they join the result.
  bool of_blocks() const { return scales.front().has_blocks(); }
  /// Products that share a scale, of scales of blocks.
  int64_t scale_block() const { return scales.front().products(); }
  /// Whether the unit itself takes the scales, which then neither join promoted sums nor the result.
  bool scales_in_unit() const { return of_blocks() && join.empty(); }
  /// Whether a matrix c is added.
  bool adds_c() const;
  bool takes(const GemmScales& scales) const;
  bool makes(const Format& y) const;
};

/// Throws TableError at the cell: a unit that does not exist, or of which nothing is predicted and that has no candidates, and
/// what a cell may not hold.
DotContract read_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units);

/// The cell `scales`. Throws TableError.
class RowCells;
std::vector<GemmScales> read_gemm_scales(const RowCells& cells);

/// The steps from the sum of an element to its result. `y`: the format of the result.
Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias);

/// The steps from the sum of promoted products to the new `acc`; empty of a contract that promotes none.
Recipe join_recipe(const DotContract& contract);

/// One way to add: the answer of a contract is that of one of its programs for all elements.
struct DotProgram {
  int64_t promote = 0;  ///< as in the contract; 0 where a part is not longer and no scale joins
  int64_t part = 0;     ///< products of a part of k, the last one may have fewer
  KOrder order = {};    ///< in which products are added
  std::string name;     ///< "split-K 2", "lanes(4,8,32)", "split-K 2, added in any order"; empty if k stays whole and has one order
};

/// The programs of a contract that differ for that k: the fewest parts first.
std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k);

/// Which of them cuts k into so many parts: 5 parts of 16 blocks are as long as 4, and one program. None of a contract that never does.
std::optional<std::string> program_of_parts(const DotContract& contract, int64_t k, int parts);

}  // namespace assay
