// One case of a quantized GEMM: its cells, bound once to the contract; the tensors of a call; and the factors that the reference reads.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/fill/fill.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/dot/exact_dot.h"
#include "reference/flow/dot/dot_predict.h"

namespace assay {

/// Scales of one factor, and how a tensor stores them: a dense f32 vector, or blocks of k in a layout.
class GemmScale {
 public:
  GemmScale() = default;
  /// `layout`: layout of block scales; nullptr: [rows], since scales do not change along k. `experts`: the tensor is [experts,
  /// rows, blocks], one matrix in that layout for each expert; 0: it is a single matrix.
  GemmScale(const LevelGrid& grid, const Layout* layout, int64_t experts = 0);
  /// Scales in tiles; a tile has rows of one expert only. `places`: for each row, the row of scales in the tiled tensor; -1 for
  /// an unused row, which has no scales. `rows`: rows of the tiled tensor, in whole tiles.
  GemmScale(const LevelGrid& grid, const Layout& layout, std::vector<int64_t> places, int64_t rows) : GemmScale(grid, &layout, std::move(places), rows) {}
  /// The same; without a layout, `places` are positions in a dense vector.
  GemmScale(const LevelGrid& grid, const Layout* layout, std::vector<int64_t> places, int64_t rows);
  /// Scales of a GEMM grouped along k: one matrix of `rows` rows, in which the blocks of the experts follow each other. `blocks`:
  /// the first block of each expert, then the number of blocks.
  static GemmScale along_k(const LevelGrid& grid, const Layout& layout, int64_t rows, std::vector<int64_t> blocks);

  const LevelGrid& grid() const { return grid_; }
  const Layout* layout() const { return placed_ ? &placed_->layout() : nullptr; }
  const Format& format() const;  ///< of one scale
  bool are_bytes() const { return format().bytes() == 1; }
  /// Whether a kernel that assumes another layout reads different scales, all of them within the tensor's storage.
  bool reads_others(const Layout& other) const { return reads_others(with_layout(other)); }
  bool reads_others(const GemmScale& other) const;
  /// The same scales as a kernel reads them that assumes another layout.
  GemmScale with_layout(const Layout& other) const {
    if (!first_blocks_.empty()) return along_k(grid_, other, expert_rows_, first_blocks_);
    return places_.empty() ? GemmScale(grid_, &other, experts_) : GemmScale(grid_, other, places_, placed_->rows());
  }
  GemmScale as_one_matrix() const { return GemmScale(grid_, layout()); }

  TensorSpec spec(const std::string& role) const;
  /// Filled scales. In the last word or tile of a row, bytes of missing blocks are 0. Other storage without a scale is all ones,
  /// or differing finite bytes if `finite`.
  HostTensor filled(const char* role, const FillRequest& request, bool finite = false) const;
  /// The same scales; storage without a scale has the value that filled() gives it.
  HostTensor with_other_padding(const HostTensor& tensor, bool finite) const;
  /// The values that a kernel reads if it assumes this layout.
  ScaleValues values(const HostTensor& tensor) const;
  void set(HostTensor& tensor, int64_t row, int64_t block, double value) const;
  /// The scales of some rows of a tensor that has one row of scales per row.
  HostTensor of_rows(const HostTensor& tensor, const std::vector<int64_t>& rows) const;

 private:
  bool has(int64_t row, int64_t block) const {
    if (!first_blocks_.empty()) return block < first_blocks_[size_t(row / expert_rows_) + 1] - first_blocks_[size_t(row / expert_rows_)];
    return places_.empty() || places_[size_t(row)] >= 0;
  }
  int64_t offset(int64_t row, int64_t block) const {
    if (!first_blocks_.empty()) return placed_->offset(row % expert_rows_, first_blocks_[size_t(row / expert_rows_)] + block);
    if (!places_.empty()) return placed_ ? placed_->offset(places_[size_t(row)], block) : places_[size_t(row)];
    if (!placed_) return row * grid_.columns + block;
    return row / expert_rows_ * placed_->storage_elements() + placed_->offset(row % expert_rows_, block);
  }
  int64_t storage_elements() const { return std::max<int64_t>(1, experts_) * placed_->storage_elements(); }
  uint32_t code(const HostTensor& tensor, int64_t row, int64_t block) const;
  void set_code(HostTensor& tensor, int64_t row, int64_t block, uint32_t code) const;
  void clear(HostTensor& tensor, bool finite = false) const;

  LevelGrid grid_;
  int64_t experts_ = 0, expert_rows_ = 1;  ///< rows of scales of each expert; without experts, all rows
  std::optional<PlacedLayout> placed_;     ///< of one expert
  std::vector<int64_t> places_;            ///< see the constructor; empty: row i is at row i
  std::vector<int64_t> first_blocks_;      ///< see along_k(); empty: experts have rows of their own
};

/// Rows of d that are adjacent in memory and multiply the same rows of b.
struct GemmRun {
  int64_t first = 0, count = 0;  ///< rows of the case
  int64_t stored = 0;            ///< the first row's place in memory, in a and d
  int64_t b = 0;                 ///< the row of b for column 0 of d

  DotBlock block(int64_t first_column, int64_t end_column) const { return {stored, stored + count, b + first_column, b + end_column}; }
};

struct GemmCase {
  DotContract contract;
  int64_t m = 0, n = 0, k = 0;       ///< m: without unused rows
  Groups groups;                     ///< for a grouped GEMM: rows of each expert, m in total; b has n rows for each
  std::vector<int64_t> products = {};  ///< GEMMs grouped along k: the k of each expert; `k` is the largest
  std::string fill, b;               ///< generators of a and b
  GemmScales scales;                 ///< with the layouts of this case
  GemmScale scale_a, scale_b;        ///< their finest levels, for a and b as stored
  std::string scale;                 ///< generator of scale_a, scale_b and the outer scales
  bool absent_finite = false;        ///< storage without a scale holds finite bytes that differ, instead of NaN
  bool names_absent = false;         ///< a cell says so; else a coin does, drawn from contract, shape and seed
  int64_t gap = 0;                   ///< elements between a row of a, b or d and the next one
  bool nan_padding = false;          ///< rows of a and of its scales that belong to no expert hold NaN, instead of generated data
  std::vector<int64_t> experts;      ///< mutants only: the expert whose weights and scales each row takes; empty: its own
  std::vector<bool> unknown_rows, unknown_columns;  ///< mutants only: rows and columns of d that may hold anything, because
                                                    ///< their scales lie after the end of the tensor; empty: none
  const Format* y = nullptr;         ///< format of the result and of the bias
  bool has_bias = false;
  std::string bias, c, azp;          ///< generators of a bias, of an addend and of zero points, if present
  int64_t topk = 1, block_m = 0;     ///< sorted ids: slots of a token, and slots of a block
  bool descending = false;           ///< sorted ids: the last expert has the first blocks
  std::vector<int64_t> absent = {};  ///< sorted ids: slots in blocks of expert -1
  std::string weights;               ///< generator of router weights, if present
  uint64_t seed = 0;
  int warp = 0;

  bool has_zero_points() const { return contract.azp != GemmAzp::kNone; }
  /// Whether the bytes of scales are exponents.
  bool scales_are_powers() const { return scale_a.are_bytes() && scale_a.format().specials == Specials::kScale; }
  /// Whether a and b have two codes per byte.
  bool packs_codes() const { return contract.codes_of_a().bits == 4; }
  const std::string& id() const { return contract.row->id; }
  LevelGrid outer_of_a() const { return scales.a.outer()->grid(m, k); }
  /// The grid of outer scales of b; in a grouped GEMM, one outer scale for the weights of each expert.
  LevelGrid outer_of_b() const { return groups.any() ? LevelGrid{groups.count(), 1, n, 0} : scales.b.outer()->grid(n, k); }
  /// Whether each row of a has a scale of the outer level, and each row of b.
  bool has_outer_of_rows_of_a() const { return scales.a.outer() && outer_of_a().row_block > 0; }
  bool has_outer_of_rows_of_b() const { return scales.b.outer() && outer_of_b().row_block > 0; }

  bool along_k() const { return contract.experts == GroupOrder::kAlongK; }
  /// GEMMs grouped along k: for each expert the elements (with kScaleBlock: blocks) of all earlier experts; then the total.
  std::vector<int64_t> first_products(int64_t each = 1) const;
  int64_t stored_rows() const { return groups.any() ? groups.stored_rows() : m; }
  int64_t rows_of_a() const { return stored_rows() / topk; }
  int64_t rows_of_b() const { return groups.any() ? groups.count() * n : n; }
  int64_t expert_of(int64_t row) const { return experts.empty() ? groups.group_of(row) : experts[size_t(row)]; }
  /// The runs that rows [first, end) consist of.
  std::vector<GemmRun> runs(int64_t first, int64_t end) const;
  GemmRun run_of(int64_t row) const { return runs(row, row + 1).front(); }
  /// The case with m rows and n columns. Each group keeps its share of m, and at least one row if it has rows.
  GemmCase resized(int64_t rows, int64_t columns) const;
};

/// Throws TableError naming row and column: a contract that is not a GEMM; scales, a layout, a result or a bias that it does not
/// have; groups whose scales or rows do not fit; or a k for which int32 could overflow.
GemmCase read_gemm_case(const Case& c);

// Sorted ids: slots in blocks of one expert.

/// The contents of `sorted_token_ids`, `expert_ids` and `num_tokens_post_padded`. One more block follows those in use. It repeats
/// slots of the first block with another expert, so a kernel that computes it overwrites their rows.
struct SortedSlots {
  std::vector<int64_t> ids;      ///< slots, block by block; blocks are filled up with the number of slots
  std::vector<int64_t> experts;  ///< of each block; -1: its weights are on another device
  int64_t end = 0;               ///< entries of `ids` in use
};
SortedSlots sorted_slots(const GemmCase& c);

/// A mistake about slots: rows take other experts, or inputs are read wrongly.
struct SlotMistake {
  std::string name;
  std::vector<int64_t> experts;  ///< for each row of the case; empty: its own
  void (*read)(const GemmCase& c, DotInputs& inputs) = nullptr;
};
std::vector<SlotMistake> slot_mistakes(const GemmCase& c);

/// Calls that must give every slot the same bits: with the slots of each block reversed, and with the blocks reversed.
std::vector<Relation> slot_relations(const GemmCase& c, const Problem& problem);

/// a, b, scale_a, scale_b, the scales of an outer level, the tensors that state the groups, bias and c if present, and d.
Problem gemm_problem(const GemmCase& c);

/// Moves rows further apart by that many elements. The gaps hold all ones, which are NaN where the format has it.
void pull_apart(HostTensor& tensor, int64_t more);

/// The tensors of a problem in the reference's form, [stored rows, k] and [rows of b, k]; `problem` must outlive the result.
DotInputs gemm_inputs(const GemmCase& c, const Problem& problem);

/// The problem whose row i is row rows[i] of `problem`. Not for groups.
Problem gemm_with_rows(const GemmCase& c, const Problem& problem, const std::vector<int64_t>& rows);

/// Exact sums of products with the scales of the finest level. `inputs` must outlive it.
class ExactGemm {
 public:
  ExactGemm(const GemmCase& c, const DotInputs& inputs);
  ExactGemm(const ExactGemm&) = delete;  // its factors point to its scales

  const DotProblem& factors() const { return factors_; }
  /// The product of the outer scales of an element of d, which the sums do not include; 1 without an outer level.
  double outer_scale(int64_t row, int64_t column) const;
  /// Terms added to an element: bias, c, zero points.
  double beside_product(int64_t row, int64_t column) const;

 private:
  const DotInputs& inputs_;
  const bool inverts_a_, inverts_b_;  ///< the outer scales divide
  std::vector<float> scales_a_, scales_b_;
  DotProblem factors_;
};

}  // namespace assay
