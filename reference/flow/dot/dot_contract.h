// Contracts of GEMMs: instruction, scales, order of k, weight layout, algorithm variants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/scale_spec.h"
#include "reference/formats/format.h"
#include "reference/formats/misreadings.h"
#include "reference/recipe/recipe.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

// Scales of a GEMM: which elements share a scale, and which scale applies to a product.

/// The scales of a [m, k] and of b [n, k]. Columns of a block lie along k: "1x128" is 128 elements of one row.
struct GemmScales {
  std::string name;  ///< such as "token_channel", "1x128_128x128", "1x16+tensor_1x16+tensor"
  ScaleSpec a, b;

  /// True if a scale covers a part of k, false if it covers all of k.
  bool has_blocks() const { return a.block().columns > 0; }
  /// Number of elements along k that share a block scale; 0 if a scale covers all of k.
  int64_t products() const { return a.block().columns; }
  /// True if every row of a and every row of b has one scale for all of k.
  bool of_rows() const { return a.block().rows == 1 && b.block().rows == 1 && !has_blocks(); }
  /// The grids of block scales of a [m, k] and of b [n, k].
  LevelGrid of_a(int64_t m, int64_t k) const { return a.block().grid(m, k); }
  LevelGrid of_b(int64_t n, int64_t k) const { return b.block().grid(n, k); }
  bool operator==(const GemmScales& other) const { return name == other.name; }
};

/// Parses `tensor`, `token`, `channel`, `token_channel`, or `A_B` with a scale_spec.h group each: "1x128_128x128" (DeepGEMM 1D2D,
/// cuBLASLt VEC128 by BLK128x128), "1x128_1x128" (DeepGEMM 1D1D), "1x32_1x32" (MXFP8), "1x16+tensor_1x16+tensor" (NVFP4). Throws
/// ParseError for other names, and for blocks that differ along k.
GemmScales gemm_scales_named(const std::string& name);

/// Length along k of the tiles of kernels without block scales.
inline constexpr int64_t kScaleBlock = 128;

/// The scales of one operand at one level, as a dense row-major grid.
struct ScaleValues {
  LevelGrid shape;
  std::vector<double> values;  ///< empty: the operand has no such scales

  double at(int64_t row, int64_t k) const { return values[size_t(shape.of(row, k))]; }
  /// Scale codes for an instruction that takes one scale per `block` elements: [rows, ceil(k / block)]. Every scale must be a
  /// value of `format`.
  std::vector<std::byte> codes(const Format& format, int64_t rows, int64_t k, int64_t block) const;
};

// Memory layout of the codes of b: row-major, or shuffled for the loads of a tensor core.

/// AITER's shuffle_weight(layout=(rows, products)), aiter/ops/shuffle.py e4048607. Tiles have `rows` x (2 * `products`) elements.
/// A tile stores the first 16 bytes of each of its rows, then the next 16 bytes of each, and so on. rows == 0: not shuffled.
struct WeightShuffle {
  int rows = 0, products = 0;

  bool any() const { return rows > 0; }
  /// True if b [n, k] consists of whole tiles. Otherwise the layout cannot store it.
  bool fits(int64_t n, int64_t k) const { return n % rows == 0 && k % (2 * products) == 0; }
  /// Position in memory, in elements, of the code of b[row, product]. `bytes`: size of a code.
  int64_t place(int64_t row, int64_t product, int64_t k, int bytes) const;
  bool operator==(const WeightShuffle&) const = default;
};

/// Parses the cell: "shuffle(16,16)" or "shuffle(32,16)". Throws TableError.
WeightShuffle read_weight_tile(const RowCells& cells, const std::string& column);

/// Converts one-byte codes [n, k] from row-major order to the shuffled layout, and back.
std::vector<std::byte> shuffled(const WeightShuffle& shuffle, const std::byte* codes, int64_t n, int64_t k);
std::vector<std::byte> unshuffled(const WeightShuffle& shuffle, const std::byte* memory, int64_t n, int64_t k);

// The order in which a kernel multiplies the elements along k. It is not ascending if lanes load operands from strided addresses.

/// lanes(L,R,A): each of L groups of lanes takes R consecutive elements along k; the groups start A apart. The first instruction
/// takes elements 0 .. R-1, A .. A+R-1, 2A .. 2A+R-1, ..; the next one takes elements R further on. After L*A elements the
/// pattern repeats. Both operands are read in this order, so it only affects the order of additions. No lanes: ascending.
/// Source: composable_kernel 8e22e1ae blockwise_gemm_pipeline_xdlops_base.hpp. A is KPerThread = KPerBlock / L. With a shuffled
/// weight or block scales, and in AITER's opus, A is KPack = 16.
struct KOrder {
  static constexpr int64_t kZero = std::numeric_limits<int64_t>::max();
  int64_t lanes = 0, run = 0, apart = 0;
  int64_t part =
      0;  ///< length of a split-K part, which is padded to whole periods and begins the order anew; 0: parts are whole periods

  bool any() const { return lanes > 0; }
  int64_t period() const { return any() ? lanes * apart : 1; }
  /// Number of multiplied elements of k, including the zeros that pad it to whole periods.
  int64_t places(int64_t k) const { return part == 0 ? filled(k) : k / part * places_of_part() + filled(k % part); }
  /// places() for one whole split-K part.
  int64_t places_of_part() const { return filled(part); }
  /// Index along k of the element that is multiplied at position `place` of this order; kZero if this is a padding zero.
  int64_t product_at(int64_t place) const;
  /// Returns "lanes(4,8,32)" or "ascending".
  std::string text() const;
  bool operator==(const KOrder&) const = default;
  /// `products` rounded up to whole periods.
  int64_t filled(int64_t products) const { return (products + period() - 1) / period() * period(); }
};

/// The orders in a cell, which | separates; none for an empty cell, which means ascending k. Throws TableError.
std::vector<KOrder> read_k_orders(const RowCells& cells, const std::string& column);

/// One-byte codes of an operand, [rows, places(k)], in the order in which they are multiplied, with the padding zeros.
std::vector<std::byte> in_order(const KOrder& order, const UnitFactor& factor, int64_t rows, int64_t k);

// A parsed row of a GEMM table: which tensor core instruction adds the products, when its accumulator is added to an f32 sum
// (promotion), and how scales are applied.

/// For kernels that convert codes in software to operands of the instruction: how a code, with the scales of its block and
/// tensor, becomes an operand.
struct DecodedOperands {
  const Format* codes = nullptr;            ///< format of a and b in memory; nullptr: the instruction's operand formats
  std::vector<CellStep> mult_a, mult_b;     ///< from s (scale of a block) and g (scale of the tensor) to the multiplier m
  std::vector<CellStep> decode;             ///< from the value of a code to the operand, with m
  CodeReader read = {};                     ///< mutants only: reads codes in the place of assay::decode()
  std::optional<std::vector<CellStep>> decode_a = {}, decode_b = {};  ///< mutants only: `decode` of one operand

  const std::vector<CellStep>& decode_of_a() const { return decode_a ? *decode_a : decode; }
  const std::vector<CellStep>& decode_of_b() const { return decode_b ? *decode_b : decode; }

  bool any() const { return codes != nullptr; }
};

/// The zero-point correction that is subtracted from an integer sum before scaling. kTensor: azp_adj[n], which is a's only zero
/// point times the sum of row n of b. kTokens: azp[m] * azp_adj[n].
enum class GemmAzp { kNone, kTensor, kTokens };

/// From what the zero-point correction is subtracted.
enum class AzpPlace {
  kIntegers,  ///< from the int32 sum, before any rounding
  kFloats,    ///< from the sum, after both are rounded to f32; this place and the next occur in mutants only
  kBias       ///< from the bias, after the correction is scaled; the new bias is rounded to the format of the result
};

/// How the sums of split-K parts are added.
enum class PartSums {
  kF32,      ///< in f32, in ascending order, before the steps of y
  kAtomics,  ///< atomic additions to d: each part is scaled, rounded to the format of d, and added in any order to a d that
             ///< starts at +0. The number of parts is a power of two
  kResults   ///< like kAtomics, but in ascending order, starting with the first part; in mutants only
};

/// What a call of a grouped GEMM leaves in rows of d that belong to no expert.
enum class UnusedRows {
  kUntouched,         ///< what was there before
  kUndefined,         ///< anything
  kUndefinedInTiles,  ///< anything in tiles of tile_rows rows that have a used row; in other tiles what was there before
  kZero
};

/// "untouched", "undefined", "undefined in tiles" or "zero".
const char* name(UnusedRows rows);

/// The registry entry of this op kind.
const Flow& dot_flow();

/// A contract for D[m, n] = A[m, k] * B[n, k]^T with scales. Mutants modify a copy.
struct DotContract {
  const ContractRow* row = nullptr;
  const UnitRow* unit_row = nullptr;
  Unit unit;
  int64_t promote = 0;         ///< number of products after which the accumulator is added to an f32 sum and restarts from 0;
                               ///< 0: one accumulator for all of k
  std::vector<CellStep> join;  ///< steps that add the sum of `promote` products to the f32 sum, which cells call acc
  std::vector<CellStep> one_block;  ///< steps that replace `join` if one block of scales covers all of k; empty: none
  int least_parts = 1,
      most_parts = 1;   ///< fewest and most split-K parts. Each part is summed like an unsplit k, with promotion if there is
                        ///< any; part_sums says how the sums of the parts are added
  int64_t part_of = 0;  ///< the length of a part is a multiple of this number of products; 0: no split-K
  PartSums part_sums = PartSums::kF32;
  int last_parts_left_out = 0;     ///< in mutants: number of split-K parts at the end of k that are not added
  std::vector<KOrder> orders;      ///< orders along k, by kernel instance; all of d uses one of them; empty: ascending
  bool flushes = false;            ///< subnormal f32 scales, sums and results become zero, except the instruction's fp8 sums
  DecodedOperands decoded = {};
  std::vector<CellStep> y;         ///< steps from the sum to the result
  bool adds_zero = false;          ///< if k is not split, the last factor of y is applied by an FMA whose addend is +0
  std::vector<CellStep> bias;      ///< steps that add a bias, before the last step of y; empty: no bias allowed
  std::vector<CellStep> router;    ///< steps that multiply by the router weight of a row, after the bias steps; empty: none
  std::vector<GemmScales> scales;  ///< allowed scales
  std::vector<const Format*> out;  ///< allowed formats of the result
  WeightShuffle shuffle;           ///< layout of b
  GemmAzp azp = GemmAzp::kNone;
  AzpPlace azp_place = AzpPlace::kIntegers;
  std::vector<std::string> layouts;  ///< ids in layouts.csv: allowed layouts of block scales of a
  std::optional<GroupOrder> experts =
      {};  ///< grouped GEMM: how the rows of a and d are assigned to experts, whose weights they use
  int64_t tile_rows = 1;                   ///< grouped GEMM: an expert's first row and its capacity are multiples of this
  /// 0 unless experts are contiguous. If not 0, the scales of a for expert e begin at row (r + (scale_rows - 1) e) / scale_rows *
  /// scale_rows, where r is the expert's first row of a.
  int64_t scale_rows = 0;
  const Format* scale_bytes = nullptr;  ///< mutants only: the format of the scale bytes that the instruction takes for unit.scale
  UnusedRows unused_rows = UnusedRows::kUntouched;  ///< grouped GEMM: rows of d that belong to no expert
  /// Grouped GEMM: a row of d is a slot, which is one of the top_k experts of a token. Lists of slots, sorted by expert, say
  /// which row of a belongs to each slot. `experts` is then GroupOrder::kByIndex.
  bool sorted_ids = false;
  std::vector<int64_t> block_m = {};  ///< sorted ids: allowed sizes of a block of slots; all slots of a block have one expert
  /// Only for an undocumented kernel or instruction: the possible contracts. A variant of one of them must explain each element.
  /// For an undocumented instruction, a member is this row with one candidate model. The fields above are copies of the first
  /// member's, except row, unit_row, scales, out and layouts. An undocumented kernel takes no bias.
  std::vector<DotContract> members = {};

  bool unknown() const { return !members.empty(); }
  /// True if only the arithmetic of the instruction is undocumented, not the kernel.
  bool of_unknown_unit() const { return unknown() && members.front().row == row; }

  /// True if the results of split-K parts are added by atomics.
  bool has_atomics() const { return part_sums == PartSums::kAtomics; }
  /// True if a and b are integers; their sums are exact in any order.
  bool of_integers() const { return unit.d->is_integer(); }
  /// True if scales change along k. They are then applied to each promoted sum, otherwise to the result.
  bool of_blocks() const { return scales.front().has_blocks(); }
  /// For block scales: elements along k per scale.
  int64_t scale_block() const { return scales.front().products(); }
  /// True if the instruction itself applies the scales, so no step applies them.
  bool scales_in_unit() const { return of_blocks() && join.empty() && !decoded.any(); }
  /// True if block scales are applied to promoted sums.
  bool joins_scales() const { return of_blocks() && !join.empty(); }
  /// Formats of the codes in memory.
  const Format& codes_of_a() const { return decoded.any() ? *decoded.codes : *unit.a; }
  const Format& codes_of_b() const { return decoded.any() ? *decoded.codes : *unit.b; }
  /// True if one block of scales covers all of k, so that the kernel may scale the only sum as in `one_block`.
  bool may_scale_alone(int64_t k) const { return !one_block.empty() && k <= scale_block() && k <= promote; }
  /// True if a matrix c is added.
  bool adds_c() const;
  /// True if rows of the result may be multiplied by router weights.
  bool takes_weights() const;
  bool takes(const GemmScales& scales) const;
  bool makes(const Format& y) const;
};

/// Throws TableError at the cell: for an unknown instruction id, an instruction with neither known arithmetic nor candidate
/// models, and invalid cells.
DotContract read_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units);

/// Parses the cell `scales`. Throws TableError.
class RowCells;
std::vector<GemmScales> read_gemm_scales(const RowCells& cells);

/// The steps from the sum of an element to its result in format `y`. `whole`: k is not split.
Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias, bool whole);

/// The steps from the sum of `promote` products to the next `acc`; empty without promotion. `alone`: the steps of `one_block`.
Recipe join_recipe(const DotContract& contract, bool alone = false);

/// One algorithm variant: an order of additions. One variant computes all elements of an output.
struct DotProgram {
  int64_t promote = 0;  ///< promotion interval; 0: none (also if a part is no longer than the interval and join reads no scales)
  int64_t part = 0;     ///< products per split-K part; the last part may have fewer
  KOrder order = {};    ///< order in which products are added
  /// such as "split-K 2", "lanes(4,8,32)", "split-K 2, added in any order"; empty if k is not split and there is only one
  /// order
  std::string name;
  bool alone = false;  ///< the sum of one block of scales is scaled by `one_block`
};

/// The distinct algorithm variants of a contract for this k, fewest parts first.
std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k);

/// The name of the variant that splits k into `parts` parts. If k has 16 blocks, 4 and 5 parts both mean parts of 4 blocks, so
/// they are one variant. Empty if the contract does not split k.
std::optional<std::string> program_of_parts(const DotContract& contract, int64_t k, int parts);

// Quantities that the cells of a GEMM may name.

/// Names in mult_a and mult_b (from the scale of a block to m), and in decode (from the value of a code to an operand).
Names names_of_mult();
Names names_of_decode();
/// Names in join (from a promoted sum to acc): the scales of the sum's block, and acc.
Names names_of_join();
/// Names in y (from acc to the result in format `y`): scales, bias, c.
Names names_of_result(const Format& y);

// All known ways to accumulate and scale a GEMM, from all contract rows and all instructions.

/// The steps that add a promoted sum to acc without scales.
std::vector<CellStep> plain_join();

/// The steps that add a promoted sum to acc with two block scales: one list for each order of the operations.
std::vector<std::vector<CellStep>> block_joins();

/// Contracts like `like` for every instruction that takes its formats: with and without promotion, with split-K, and with each
/// order of applying the scales.
std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units);

/// Returns a text such as "UNIT, promoted every 128, split-K 2, (acc * sb) * sa".
std::string dot_way_words(const DotContract& way, const DotProgram& program);

// A GEMM as text.

/// The contract as formulas, one line per step. units/unit_table.h writes the lines of the instruction.
std::vector<std::string> dot_lines(const DotContract& contract);

}  // namespace assay
