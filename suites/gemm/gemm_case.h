// A case of a quantized GEMM: its parsed cells and contract, the tensors of a call, and a and b with their scales.
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

/// The scales of `a` or `b` and how a tensor stores them: as a dense f32 vector, or as block scales in a layout.
class GemmScale {
 public:
  GemmScale() = default;
  /// `layout`: the layout of block scales; nullptr: the tensor is [rows], one scale for all of k. `experts` > 0: the tensor is
  /// [experts, rows, blocks], a matrix in that layout for each expert; 0: a single matrix.
  GemmScale(const LevelGrid& grid, const Layout* layout, int64_t experts = 0);
  /// Scales in tiles; each tile has rows of one expert only. places[i]: the row of the tiled tensor that holds the scales of row
  /// i; -1: row i is unused and has no scales. `rows`: number of rows of the tiled tensor, in whole tiles.
  GemmScale(const LevelGrid& grid, const Layout& layout, std::vector<int64_t> places, int64_t rows) : GemmScale(grid, &layout, std::move(places), rows) {}
  /// As above, but `layout` may be nullptr: places[i] is then an index into a dense vector.
  GemmScale(const LevelGrid& grid, const Layout* layout, std::vector<int64_t> places, int64_t rows);
  /// Scales of a GEMM grouped along k: one matrix of `rows` rows, in which the blocks of all experts follow each other along k.
  /// `blocks`: the first block of each expert, then the total number of blocks.
  static GemmScale along_k(const LevelGrid& grid, const Layout& layout, int64_t rows, std::vector<int64_t> blocks);

  const LevelGrid& grid() const { return grid_; }
  const Layout* layout() const { return placed_ ? &placed_->layout() : nullptr; }
  const Format& format() const;  ///< format of a stored scale
  bool are_bytes() const { return format().bytes() == 1; }
  /// Whether a kernel that assumes the layout `other` reads wrong scales, but none outside the tensor's storage.
  bool reads_others(const Layout& other) const { return reads_others(with_layout(other)); }
  bool reads_others(const GemmScale& other) const;
  /// The scales as a kernel reads them if it assumes the layout `other`.
  GemmScale with_layout(const Layout& other) const {
    if (!first_blocks_.empty()) return along_k(grid_, other, expert_rows_, first_blocks_);
    return places_.empty() ? GemmScale(grid_, &other, experts_) : GemmScale(grid_, other, places_, placed_->rows());
  }
  GemmScale as_one_matrix() const { return GemmScale(grid_, layout()); }

  TensorSpec spec(const std::string& role) const;
  /// A tensor with generated scales. Bytes that complete the last word or tile of a row are 0. Other storage without a scale
  /// holds bytes 0xFF or, with `finite`, various finite bytes.
  HostTensor filled(const char* role, const FillRequest& request, bool finite = false) const;
  /// A copy of the tensor; storage without a scale is set as by filled().
  HostTensor with_other_padding(const HostTensor& tensor, bool finite) const;
  /// The values that a kernel reads from the tensor if it assumes this layout.
  ScaleValues values(const HostTensor& tensor) const;
  void set(HostTensor& tensor, int64_t row, int64_t block, double value) const;
  /// The scales of the given rows, of a tensor with one row of scales for each row of a or b.
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
  int64_t experts_ = 0, expert_rows_ = 1;  ///< expert_rows_: rows of scales of each expert; without experts, all rows
  std::optional<PlacedLayout> placed_;     ///< the layout of one expert's scales
  std::vector<int64_t> places_;            ///< see the constructor; empty: the scales of row i are in row i
  std::vector<int64_t> first_blocks_;      ///< see along_k(); empty: the GEMM is not grouped along k
};

/// Consecutive rows of d that are multiplied by the same rows of b.
struct GemmRun {
  int64_t first = 0, count = 0;  ///< rows [first, first + count) of the case
  int64_t stored = 0;            ///< index of the first row in the tensors a and d
  int64_t b = 0;                 ///< the row of b that gives column 0 of d

  DotBlock block(int64_t first_column, int64_t end_column) const { return {stored, stored + count, b + first_column, b + end_column}; }
};

struct GemmCase {
  DotContract contract;
  int64_t m = 0, n = 0, k = 0;       ///< unused rows do not count in m
  Groups groups;                     ///< grouped GEMMs: rows of each expert, m in total; b has n rows for each expert
  std::vector<int64_t> products = {};  ///< GEMMs grouped along k: the k of each expert; `k` above is the largest
  std::string fill, b;               ///< input generators of a and b
  GemmScales scales;                 ///< granularity of the scales, with the layouts of this case
  GemmScale scale_a, scale_b;        ///< the finest scales of a and b, as stored
  std::string scale;                 ///< input generator of scale_a, scale_b and the outer scales
  bool absent_finite = false;        ///< storage without a scale holds various finite bytes; otherwise NaN
  bool names_absent = false;         ///< a cell sets absent_finite; otherwise a hash of contract, shape and seed sets it
  int64_t gap = 0;                   ///< unused elements between consecutive rows of a and d; without groups, also of b
  bool nan_padding = false;          ///< rows of a that belong to no expert, and their scales, hold NaN; otherwise generated data
  std::vector<int64_t> experts;      ///< mutants only: the expert whose weights and scales each row uses; empty: its own expert
  std::vector<bool> unknown_rows, unknown_columns;  ///< mutants only: rows and columns of d that may hold anything, because their
                                                    ///< scales are read after the end of the tensor; empty: none
  const Format* y = nullptr;         ///< format of the result and of the bias
  bool has_bias = false;
  std::string bias, c, azp;          ///< input generators of bias, addend and zero points; empty: the call has none
  int64_t topk = 1, block_m = 0;     ///< sorted ids: number of slots per token, and per block
  bool descending = false;           ///< sorted ids: the blocks of the last expert come first
  std::vector<int64_t> absent = {};  ///< sorted ids: slots that lie in blocks of expert -1
  std::string weights;               ///< input generator of router weights; empty: none
  uint64_t seed = 0;
  int warp = 0;

  bool has_zero_points() const { return contract.azp != GemmAzp::kNone; }
  /// Whether the scales are E8M0 bytes, whose values are powers of two.
  bool scales_are_powers() const { return scale_a.are_bytes() && scale_a.format().specials == Specials::kScale; }
  /// Whether a and b store two codes in each byte.
  bool packs_codes() const { return contract.codes_of_a().bits == 4; }
  const std::string& id() const { return contract.row->id; }
  LevelGrid outer_of_a() const { return scales.a.outer()->grid(m, k); }
  /// The grid of b's outer scales. A grouped GEMM has one outer scale for the weights of each expert.
  LevelGrid outer_of_b() const { return groups.any() ? LevelGrid{groups.count(), 1, n, 0} : scales.b.outer()->grid(n, k); }
  /// Whether `a` (below: `b`) has a separate outer scale for each row, that is, a scale to which its block scales are relative.
  bool has_outer_of_rows_of_a() const { return scales.a.outer() && outer_of_a().row_block > 0; }
  bool has_outer_of_rows_of_b() const { return scales.b.outer() && outer_of_b().row_block > 0; }

  bool along_k() const { return contract.experts == GroupOrder::kAlongK; }
  /// GEMMs grouped along k: where each expert's part of k begins, then the total, both in units of `each` elements.
  std::vector<int64_t> first_products(int64_t each = 1) const;
  int64_t stored_rows() const { return groups.any() ? groups.stored_rows() : m; }
  int64_t rows_of_a() const { return stored_rows() / topk; }
  int64_t rows_of_b() const { return groups.any() ? groups.count() * n : n; }
  int64_t expert_of(int64_t row) const { return experts.empty() ? groups.group_of(row) : experts[size_t(row)]; }
  /// The runs that make up rows [first, end).
  std::vector<GemmRun> runs(int64_t first, int64_t end) const;
  GemmRun run_of(int64_t row) const { return runs(row, row + 1).front(); }
  /// This case with `rows` rows and `columns` columns. Each group keeps its share of rows, and at least one row if it has any.
  GemmCase resized(int64_t rows, int64_t columns) const;
};

/// Throws TableError with row and column: if the contract is not a GEMM or does not have the case's scales, layout, result or
/// bias; if groups do not fit the scales or the stored rows; or if int32 could overflow at this k.
GemmCase read_gemm_case(const Case& c);

// Sorted ids: the slots of a grouped GEMM, listed in blocks that belong to one expert each.

/// The contents of `sorted_token_ids`, `expert_ids` and `num_tokens_post_padded`. One more block follows the blocks in
/// use: the slots of the first block with another expert. A kernel that also computes it overwrites the rows of these slots.
struct SortedSlots {
  std::vector<int64_t> ids;      ///< slots, block by block; unused entries of a block hold the number of slots, which is no slot
  std::vector<int64_t> experts;  ///< the expert of each block; -1: its weights are on another device
  int64_t end = 0;               ///< number of `ids` in use
};
SortedSlots sorted_slots(const GemmCase& c);

/// A mutant of a GEMM with sorted ids: rows use the weights of wrong experts (`experts`), or inputs are misread (`read`).
struct SlotMistake {
  std::string name;
  std::vector<int64_t> experts;  ///< the expert of each row; empty: the right one
  void (*read)(const GemmCase& c, DotInputs& inputs) = nullptr;
  bool suspect = false;  ///< see Hypothesis::suspect
};
std::vector<SlotMistake> slot_mistakes(const GemmCase& c);

/// Changed calls in which every slot must keep its bits: the slots of each block reversed, and the order of blocks reversed.
std::vector<Relation> slot_relations(const GemmCase& c, const Problem& problem);

/// The call: a, b, scale_a, scale_b, outer scales, tensors that say which rows each expert has, bias and c if present, and d.
Problem gemm_problem(const GemmCase& c);

/// Increases the row stride by `more` elements. The gaps hold all ones, which is NaN in formats that have NaN.
void pull_apart(HostTensor& tensor, int64_t more);

/// The tensors of a problem as the reference reads them: `a` [stored rows, k], `b` [rows of b, k]. `problem` must outlive them.
DotInputs gemm_inputs(const GemmCase& c, const Problem& problem);

/// A problem whose row i is row rows[i] of `problem`. Not for grouped GEMMs.
Problem gemm_with_rows(const GemmCase& c, const Problem& problem, const std::vector<int64_t>& rows);

/// Exact sums of products, including the finest scales but not the outer ones. `inputs` must outlive it.
class ExactGemm {
 public:
  ExactGemm(const GemmCase& c, const DotInputs& inputs);
  ExactGemm(const ExactGemm&) = delete;  // factors_ points to scales_a_ and scales_b_

  const DotProblem& factors() const { return factors_; }
  /// The product of the two outer scales of an element of d; 1 if there are none. The exact sums do not include it.
  double outer_scale(int64_t row, int64_t column) const;
  /// What is added to an element of d besides the products: bias, c, zero points.
  double beside_product(int64_t row, int64_t column) const;

 private:
  const DotInputs& inputs_;
  const bool inverts_a_, inverts_b_;  ///< values are divided by the outer scales, not multiplied
  std::vector<float> scales_a_, scales_b_;
  DotProblem factors_;
};

}  // namespace assay
