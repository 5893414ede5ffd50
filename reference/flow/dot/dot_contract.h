// Contracts of GEMMs: instruction, scales, order of k, weight layout, algorithm variants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/scale_spec.h"
#include "reference/formats/format.h"
#include "reference/recipe/recipe.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

// Scales of a matrix product: of what each is, and where that of an element's products stands.

/// What a scale of a and one of b are. A block's columns are k: "1x128" is a row's 128 products.
struct GemmScales {
  std::string name;  ///< "token_channel", "1x128_128x128", "1x16+tensor_1x16+tensor"
  ScaleSpec a, b;

  /// Whether scales change along k.
  bool has_blocks() const { return a.block().columns > 0; }
  /// Products that share a scale of blocks.
  int64_t products() const { return a.block().columns; }
  /// Whether a row of a and a row of b each have a scale of their own, and all of k shares it.
  bool of_rows() const { return a.block().rows == 1 && b.block().rows == 1 && !has_blocks(); }
  /// Scales of blocks of a [m, k], and of b [n, k].
  LevelGrid of_a(int64_t m, int64_t k) const { return a.block().grid(m, k); }
  LevelGrid of_b(int64_t n, int64_t k) const { return b.block().grid(n, k); }
  bool operator==(const GemmScales& other) const { return name == other.name; }
};

/// `tensor`, `token`, `channel`, `token_channel`, or `A_B` with a scale_spec.h group each: "1x128_128x128" (DeepGEMM 1D2D, cuBLASLt VEC128
/// by BLK128x128), "1x128_1x128" (DeepGEMM 1D1D), "1x32_1x32" (MXFP8), "1x16+tensor_1x16+tensor" (NVFP4). Throws ParseError: another form,
/// blocks along k that differ.
GemmScales gemm_scales_named(const std::string& name);

/// Products of a tile of k in kernels whose scales have no blocks.
inline constexpr int64_t kScaleBlock = 128;

/// The scales of one factor, row by row.
struct ScaleValues {
  LevelGrid shape;
  std::vector<double> values;  ///< none: there are no such scales

  double at(int64_t row, int64_t k) const { return values[size_t(shape.of(row, k))]; }
  /// Codes for a unit that takes one for every `block` products: [rows, k / block], rounded up. Values are those of codes.
  std::vector<std::byte> codes(const Format& format, int64_t rows, int64_t k, int64_t block) const;
};

// How the codes of b lie in memory: row by row, or shuffled for the loads of a tensor core.

/// AITER's shuffle_weight(layout=(rows, products)), aiter/ops/shuffle.py e4048607: tiles of `rows` x 2 `products`, in a tile runs of
/// 16 bytes of a row, those of all rows one after the other. No rows: not shuffled.
struct WeightShuffle {
  int rows = 0, products = 0;

  bool any() const { return rows > 0; }
  /// Whether b [n, k] has whole tiles; else it cannot be shuffled.
  bool fits(int64_t n, int64_t k) const { return n % rows == 0 && k % (2 * products) == 0; }
  /// Where the code of a row and a product lies, in elements; `bytes`: of a code.
  int64_t place(int64_t row, int64_t product, int64_t k, int bytes) const;
  bool operator==(const WeightShuffle&) const = default;
};

/// The cell of a row that says it: "shuffle(16,16)" or "shuffle(32,16)". Throws TableError.
WeightShuffle read_weight_tile(const RowCells& cells, const std::string& column);

/// Codes of a byte, [n, k] row by row, as they lie shuffled; and back.
std::vector<std::byte> shuffled(const WeightShuffle& shuffle, const std::byte* codes, int64_t n, int64_t k);
std::vector<std::byte> unshuffled(const WeightShuffle& shuffle, const std::byte* memory, int64_t n, int64_t k);

// In which order a kernel multiplies along k, where its matrix instruction reads lanes from places that lie apart.

/// lanes(L,R,A): each of L groups of lanes takes R neighbours in k, and the groups begin A apart. The first instruction has the products
/// 0 .. R-1, A .. A+R-1, 2A .. 2A+R-1, ..; the next one those R further on. After L*A products the pattern repeats. Both factors
/// are read in this order, so that only the order of additions depends on it. No lanes: ascending.
///
/// Source  composable_kernel 8e22e1ae blockwise_gemm_pipeline_xdlops_base.hpp: A is KPerThread, KPerBlock / L;
///         with a shuffled weight or scales of blocks, and in AITER's opus, A is KPack, 16.
struct KOrder {
  int64_t lanes = 0, run = 0, apart = 0;

  bool any() const { return lanes > 0; }
  int64_t period() const { return any() ? lanes * apart : 1; }
  /// The product that is multiplied at `place`.
  int64_t product_at(int64_t place) const;
  /// "lanes(4,8,32)", or "ascending".
  std::string text() const;
  bool operator==(const KOrder&) const = default;
};

/// The alternatives of a cell; empty of an empty one, which stands for ascending k. Throws TableError.
std::vector<KOrder> read_k_orders(const RowCells& cells, const std::string& column);

/// Codes of a byte of a factor, [rows, whole periods of k], in the order in which they are multiplied; zeros stand beyond k.
std::vector<std::byte> in_order(const KOrder& order, const UnitFactor& factor, int64_t rows, int64_t k);

// A row of a table of matrix products, read: which matrix unit adds the products, when its sums leave it, how scales join them.

/// What a sum of integers loses before it is scaled, so that a may have zero points: `azp_adj[n]`, which holds one zero point for all times
/// the sums of rows of b, or `azp[m] * azp_adj[n]`.
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
  std::optional<GroupOrder> experts = {};  ///< a grouped GEMM: how rows of a and d lie, each multiplied by the weights of its expert
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

// Quantities that the cells of a GEMM may name.

/// From a promoted sum to acc: scales of its block, and acc.
Names names_of_join();
/// From acc to the result in format `y`: scales, a bias, c.
Names names_of_result(const Format& y);

// GEMM contracts as text: the formula, and real-world algorithms that are not modelled.

// Every way in which a GEMM may have been added and scaled, as far as rows and units know any.

/// How a promoted sum joins acc where no scale does.
std::vector<CellStep> plain_join();

/// Every order in which the two scales of a block and acc meet a promoted sum.
std::vector<std::vector<CellStep>> block_joins();

/// Contracts like the one, of every unit that takes its formats, promoted or not, with parts of k and with every order of scales.
std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units);

/// "UNIT, promoted every 128, split-K 2, (acc * sb) * sa".
std::string dot_way_words(const DotContract& way, const DotProgram& program);

// A GEMM in words.

/// The contract, a line a step, as formulas; the unit's own lines are those of units/unit_table.h.
std::vector<std::string> dot_lines(const DotContract& contract);

}  // namespace assay
