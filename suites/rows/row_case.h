// The case of a row-wise op: its columns, parsed and checked, and the addresses of its scales.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "reference/contracts/scale_spec.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/contract.h"
#include "suites/rows/case_cells.h"

namespace assay {

/// Parameters of one case. A column that the op's case table does not have keeps the default.
struct RowCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;  ///< the contract, bound to the format of x
  const Format* x = nullptr;        ///< format of the input
  const Format* weights = nullptr;  ///< format of gamma and beta
  int64_t m = 0, n = 0;             ///< rows and columns of the output
  int64_t row_stride = 0;           ///< distance between rows of x in memory, in elements; 0: contiguous
  int64_t offset = 0;               ///< elements before the first row of x, so that x is unaligned
  std::set<std::string> shifted;    ///< which of gamma, beta, gate, residual and y begin at element 1 of their storage
  bool gated = false;               ///< a row of x has two halves of n columns: gate and up
  ScaleSpec scales;                 ///< empty for ops without scales
  Groups groups;                    ///< rows of each expert or token group, m in total; empty: all rows form one matrix
  double eps = 0;
  double scale_ub = HUGE_VAL;  ///< for contracts with an upper bound of amax
  std::string fill, up, residual, gamma, beta, gate, scale_fill,
      zero_fill, outer_fill;  ///< input generators; of a gated contract, `fill` generates the gate half of x
  uint64_t seed = 0;
  int warp = 0;

  int64_t stored_rows() const { return groups.any() ? groups.stored_rows() : m; }
  /// Index of row `row` of the matrix among the stored rows, which include unused rows.
  int64_t stored_row(int64_t row) const { return groups.any() ? groups.stored_row(row) : row; }
  int64_t x_columns() const { return gated ? 2 * n : n; }
  bool has_scales() const { return scales.any(); }
  int64_t group_size() const { return has_scales() ? scales.block().columns_of(n) : 0; }  ///< columns per scale
  int64_t group_rows() const { return has_scales() ? std::max<int64_t>(1, scales.block().rows_of(m)) : 1; }  ///< rows per scale
  int64_t scales_of_row() const { return (n + group_size() - 1) / group_size(); }
  /// Rows of the scale grid. A scale that covers all rows exists even if m is 0.
  int64_t rows_of_scales() const {
    return m == 0 && has_scales() && scales.block().rows == 0 ? 1 : (m + group_rows() - 1) / group_rows();
  }
  const Layout* layout() const { return has_scales() ? scales.block().layout : nullptr; }  ///< layout of the block scales
  /// Number of scales in global_scale, to which block scales are relative: one for each group of rows. Without groups: one for
  /// the tensor or, with `16+row`, one for each row.
  int64_t outer_scales() const { return groups.any() ? groups.count() : scales.outer()->grid(m, n).count(); }
  /// This case with another number of rows.
  RowCase with_rows(int64_t rows) const;
  /// This case with about `rows` rows in total, if it has more. Each expert that has rows keeps at least one, so the total may be
  /// larger than `rows`.
  RowCase with_fewer_tokens(int64_t rows) const;
};

/// Parses the columns that the case has. Throws TableError with row and column for an unknown contract, layout, format or
/// generator, a group size that does not divide n or that the contract lacks, and a warp size other than 32 or 64.
RowCase read_row_case(const Case& c);

/// The same for one of several contracts of a composed op: uses `contract` instead of the cell `contract`. `has_x`: x is
/// generated; if false, x is the result of another op.
RowCase read_row_case(const Cells& cells, const ContractRow& contract, bool has_x);

/// Which block scales an op has: an input (`given`), or computed from one row or, with `across_rows`, from several rows.
struct ScalesOfOp {
  bool given = false, across_rows = false;
};

// Each function returns the reason why an op rejects a contract, or "". The comments continue the sentence "The contract":

/// has another op kind ("group_quant", "quant_azp", "row_norm", "chain"),
std::string not_of_flow(const ContractRow& contract, const std::string& flow);
/// is not a chain whose first row has that op kind,
std::string not_chain_of(const ContractRow& contract, const std::string& first_flow);
/// does not subtract the mean,
std::string without_mean(const ContractRow& contract);
/// does not add a residual,
std::string without_residual(const ContractRow& contract);
/// does not have the kind of scales that `scales` describes, neither itself nor in the last contract of its chain,
std::string without_scales(const ContractRow& contract, const ScalesOfOp& scales);
/// needs an input for which the op has no column: a residual, a gate, a beta, or a second level of scales.
std::string lacking_column(const ContractRow& contract, const std::function<bool(const char*)>& has);

/// Throws TableError about the cell `contract` unless the contract rounds y to the format of x. Called by ops that store y.
void require_stored_y(const Cells& cells, const ContractRow& contract);

/// The shape in a case id, such as "bf16.m16.n7168.g128.row". It names only properties that the op has.
std::string shape_id(const RowCase& c);

/// The parts of the id of `c`, from which `p` was parsed:
/// "rms_norm/vllm.rms_norm@v0.19.1/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32". Golden files contain these ids.
CaseName row_name(const Case& c, const RowCase& p);

// Addresses of the scales of a case. Scales lie in one grid, or, with groups of rows, in one grid per group, one after the other.
// If each group has storage for `capacity` rows (masked groups), its grid covers all of them.

/// A layout applied to all scales of a case. `row` counts rows of scales; offsets have the units of PlacedLayout.
class ScalePlaces {
 public:
  ScalePlaces(const Layout& layout, const RowCase& c);
  explicit ScalePlaces(const RowCase& c) : ScalePlaces(*c.layout(), c) {}

  const Layout& layout() const { return *layout_; }
  int64_t storage() const { return storage_; }  ///< size of the tensor, in elements of Layout::type
  int64_t storage_elements() const { return storage_ * (layout_->type->bytes() / layout_->element->bytes()); }
  /// The tensor's shape; for masked groups [groups, capacity rounded up to whole tiles, columns].
  std::vector<int64_t> shape() const;
  std::vector<int64_t> strides() const;
  int64_t offset(int64_t row, int64_t group) const;  ///< address of the scale of a group in the storage

  /// Calls visit(offset, row, column, is_after_last_row) for each element of the storage that holds no scale (padding).
  template <class Visit>
  void for_each_absent(Visit visit) const {
    for (const Grid& grid : grids_) {
      for (int64_t r = 0; r < grid.placed.rows(); ++r) {
        for (int64_t c = r < grid.rows ? groups_ : 0; c < grid.placed.cols(); ++c) {
          if (const std::optional<int64_t> at = grid.placed.offset_within(r, c))
            visit(grid.first_element + *at, grid.first_row + r, c, r >= grid.rows);
        }
      }
    }
  }

  /// The tensor blockscale_offsets: each group's first row of scales, with every group padded to whole tiles; then the total.
  std::vector<int64_t> first_rows_of_tiles() const;

 private:
  struct Grid {
    PlacedLayout placed;
    int64_t rows, first_row, first_element;
  };
  const Grid& grid_of(int64_t row) const;

  const Layout* layout_;
  int64_t groups_, storage_ = 0, capacity_ = 0;
  std::vector<Grid> grids_;
};

// Padding of a scale tensor: what a kernel must store where there is no scale.

/// The rule for padding of kind "k" or "rows", parsed from a contract's `pad` cell such as "k:00 rows:untouched".
PaddingRule padding_rule(const std::string& rules, const std::string& kind);

}  // namespace assay
