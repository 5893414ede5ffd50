// Flow: matrix products. A parsed row: which tensor core adds the products, when its sums are promoted, and how scales are
// applied.
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

/// What is subtracted from an integer sum before scaling if a has zero points: `azp_adj[n]`, which is one zero point times the
/// sum of a row of b, or `azp[m] * azp_adj[n]`.
enum class GemmAzp { kNone, kTensor, kTokens };

/// Where that is subtracted.
enum class AzpPlace {
  kIntegers,  ///< in int32, before any rounding
  kFloats,    ///< after rounding both to f32; this and the next one occur in edits only
  kBias       ///< scaled and added to a bias in the format of the result
};

/// How the sums of split-k parts are added.
enum class PartSums {
  kF32,      ///< in f32, in ascending order, before the steps of y
  kAtomics,  ///< atomic additions to d: each part is scaled and rounded to the format of d, and added in any order to a d that
             ///< starts at +0. The number of parts is a power of two
  kResults   ///< like kAtomics, but in ascending order, starting with the first part; in edits only
};

/// The registry entry of this flow.
const Flow& dot_flow();

/// D[m, n] = A[m, k] * B[n, k]^T with scales. Edits modify a copy.
struct DotContract {
  const ContractRow* row = nullptr;
  const UnitRow* unit_row = nullptr;
  Unit unit;
  int64_t promote = 0;          ///< products per promotion to an f32 accumulator, which starts at 0; 0: no promotion, one chain
                                ///< over all k
  std::vector<CellStep> join;   ///< steps from the sum of `promote` products, and `acc`, to the new acc
  int least_parts = 1,
      most_parts = 1;              ///< maximum number of split-k parts; each is one chain or promoted sums; they are added in f32
                                   ///< in ascending order
  int64_t part_of = 0;             ///< a part is a multiple of this many products; 0: no split-k
  PartSums part_sums = PartSums::kF32;
  int last_parts_left_out = 0;  ///< number of last parts that an edit omits, if there are more; 0 in all rows
  std::vector<KOrder> orders;   ///< orders along k, by kernel instance; all of d uses one of them; empty: ascending
  bool flushes = false;         ///< subnormal f32 scales, sums and results are flushed to zero, except sums of fp8 products
  std::vector<CellStep> y;         ///< steps from the sum to the result
  std::vector<CellStep> bias;      ///< steps with a bias, before the last step of y; empty: no bias allowed
  std::vector<GemmScales> scales;  ///< allowed scales
  std::vector<const Format*> out;  ///< allowed formats of the result
  WeightShuffle shuffle;           ///< of b
  GemmAzp azp = GemmAzp::kNone;
  AzpPlace azp_place = AzpPlace::kIntegers;
  std::vector<std::string> layouts;  ///< ids in layouts.csv: allowed layouts of block scales of a
  /// Only for an unknown kernel or unit: the possible contracts. One program of one of them computed each element. For an unknown
  /// unit these are the row with each candidate unit. The fields above are then those of the first member, except row, unit_row,
  /// scales, out and layouts. An unknown kernel takes no bias.
  std::vector<DotContract> members = {};

  bool unknown() const { return !members.empty(); }
  /// Whether only the arithmetic of the unit is unknown.
  bool of_unknown_unit() const { return unknown() && members.front().row == row; }

  /// Whether the results of parts are added by atomics.
  bool has_atomics() const { return part_sums == PartSums::kAtomics; }
  /// Whether a and b are integers; their sums are exact in any order.
  bool of_integers() const { return unit.d->is_integer(); }
  /// Whether scales change along k and are applied to each promoted sum; otherwise they are applied to the result.
  bool of_blocks() const { return scales.front().has_blocks(); }
  /// For block scales: products per scale.
  int64_t scale_block() const { return scales.front().products(); }
  /// Whether the unit applies the scales itself, so that neither promoted sums nor the result are scaled.
  bool scales_in_unit() const { return of_blocks() && join.empty(); }
  /// Whether a matrix c is added.
  bool adds_c() const;
  bool takes(const GemmScales& scales) const;
  bool makes(const Format& y) const;
};

/// Throws TableError at the cell: for an unknown unit id, a unit without known arithmetic and without candidates, and invalid
/// cells.
DotContract read_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units);

/// Parses the cell `scales`. Throws TableError.
class RowCells;
std::vector<GemmScales> read_gemm_scales(const RowCells& cells);

/// The steps from the sum of an element to its result. `y`: format of the result.
Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias);

/// The steps from the sum of promoted products to the new `acc`; empty without promotion.
Recipe join_recipe(const DotContract& contract);

/// One order of accumulation. All elements of an output are computed by the same program of the contract.
struct DotProgram {
  int64_t promote = 0;  ///< as in the contract; 0 if a part is not longer and no scale is applied
  int64_t part = 0;     ///< products per split-k part; the last part may have fewer
  KOrder order = {};    ///< order in which products are added
  std::string name;     ///< "split-K 2", "lanes(4,8,32)", "split-K 2, added in any order"; empty without split-k and with only
                        ///< one order
};

/// The distinct programs of a contract for this k, fewest parts first.
std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k);

/// The program that splits k into `parts` parts. 5 parts of 16 blocks are as long as 4 parts, so both are one program. Empty if
/// the contract does not split k.
std::optional<std::string> program_of_parts(const DotContract& contract, int64_t k, int parts);

}  // namespace assay
