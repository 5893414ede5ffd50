// Case-table columns shared by row-wise ops, parsed and validated, and where a case stores its scales.
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

/// Parameters of one case. Columns that an op's table lacks keep their defaults.
struct RowCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;  ///< the contract for the format of x
  const Format* x = nullptr;        ///< format of the input
  const Format* weights = nullptr;  ///< format of gamma and beta
  int64_t m = 0, n = 0;             ///< rows, and columns of the output
  int64_t row_stride = 0;           ///< distance between rows of x in memory, in elements; 0: contiguous
  int64_t offset = 0;               ///< elements before the first row of x, which makes it unaligned
  std::set<std::string> shifted;    ///< tensors among gamma, beta and y that begin one element into their storage
  bool gated = false;               ///< a row of x has two halves of n columns: gate and up
  ScaleSpec scales;                 ///< empty for ops without scales
  Groups groups;                    ///< groups of rows, such as the tokens of each expert, m rows in total; none: one matrix
  double eps = 0;
  double scale_ub = HUGE_VAL;  ///< for contracts that bound amax
  std::string fill, up, residual, gamma, beta, gate, scale_fill,
      zero_fill, outer_fill;  ///< names of generators; for gated contracts `fill` fills the gate
  uint64_t seed = 0;
  int warp = 0;

  int64_t stored_rows() const { return groups.any() ? groups.stored_rows() : m; }
  /// Index of a row among the stored rows.
  int64_t stored_row(int64_t row) const { return groups.any() ? groups.stored_row(row) : row; }
  int64_t x_columns() const { return gated ? 2 * n : n; }
  bool has_scales() const { return scales.any(); }
  int64_t group_size() const { return has_scales() ? scales.block().columns_of(n) : 0; }  ///< columns per scale
  int64_t group_rows() const { return has_scales() ? std::max<int64_t>(1, scales.block().rows_of(m)) : 1; }  ///< rows per scale
  int64_t scales_of_row() const { return (n + group_size() - 1) / group_size(); }
  /// A scale of all rows exists even if there are no rows.
  int64_t rows_of_scales() const {
    return m == 0 && has_scales() && scales.block().rows == 0 ? 1 : (m + group_rows() - 1) / group_rows();
  }
  const Layout* layout() const { return has_scales() ? scales.block().layout : nullptr; }  ///< layout of the block scales
  /// Number of outer scales: one per group of rows, or one per block of the outer grid.
  int64_t outer_scales() const { return groups.any() ? groups.count() : scales.outer()->grid(m, n).count(); }
  /// The case with another number of rows.
  RowCase with_rows(int64_t rows) const;
  /// The case with at most about `rows` rows in all, and at least one for each expert that has rows; the same case if it is small
  /// enough.
  RowCase with_fewer_tokens(int64_t rows) const;
};

/// Parses the columns that exist. Throws TableError naming row and column: an unknown contract, layout, format or generator; a
/// group size that does not divide n or that the contract lacks; a warp size other than 32 and 64.
RowCase read_row_case(const Case& c);

/// The same for a contract that the case's own contract refers to, in a composed op. `has_x`: x is generated, not the result of
/// another op.
RowCase read_row_case(const Cells& cells, const ContractRow& contract, bool has_x);

/// Which block scales an op takes: given as input, computed per row, or computed across rows.
struct ScalesOfOp {
  bool given = false, across_rows = false;
};

// Each returns why an op does not take a contract, or nothing if it does: the contract

/// has another op kind ("group_quant", "quant_azp", "row_norm", "chain"),
std::string not_of_flow(const ContractRow& contract, const std::string& flow);
/// is not a chain that begins with a row of that kind,
std::string not_chain_of(const ContractRow& contract, const std::string& first_flow);
/// subtracts no mean,
std::string without_mean(const ContractRow& contract);
/// adds no residual,
std::string without_residual(const ContractRow& contract);
/// has no such scales, nor has the quantization at the end of its chain,
std::string without_scales(const ContractRow& contract, const ScalesOfOp& scales);
/// needs a column that the op lacks: a residual, a gate, a beta, an outer level of scales.
std::string lacking_column(const ContractRow& contract, const std::function<bool(const char*)>& has);

/// Throws TableError about `contract` unless it rounds y to the format of x, which ops that store y need.
void require_stored_y(const Cells& cells, const ContractRow& contract);

/// "bf16.m16.n7168.g128.row", from the properties that the op has.
std::string shape_id(const RowCase& c);

/// The name of the case that `p` was parsed from, in parts:
/// "rms_norm/vllm.rms_norm@v0.19.1/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32". Golden files contain it.
CaseName row_name(const Case& c, const RowCase& p);

// Offsets of the scales of a case: in one grid, or in one grid per group of rows, concatenated. The grid of a masked group covers
// its whole capacity.

/// The layout for all scales of a case. Rows are rows of scales; units are those of PlacedLayout.
class ScalePlaces {
 public:
  ScalePlaces(const Layout& layout, const RowCase& c);
  explicit ScalePlaces(const RowCase& c) : ScalePlaces(*c.layout(), c) {}

  const Layout& layout() const { return *layout_; }
  int64_t storage() const { return storage_; }
  int64_t storage_elements() const { return storage_ * (layout_->type->bytes() / layout_->element->bytes()); }
  /// The shape; for masked groups [groups, capacity in whole tiles, columns].
  std::vector<int64_t> shape() const;
  std::vector<int64_t> strides() const;
  int64_t offset(int64_t row, int64_t group) const;

  /// Calls visit(offset, row, column, is_after_last_row) for each element of storage that holds no scale.
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

  /// The tensor blockscale_offsets: for each group the number of scale rows before it, in whole tiles; then the total.
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

// Rules for the storage of a scale tensor that holds no scale.

/// The rule for one kind of padding ("k" or "rows"), from a contract's `pad` cell ("k:00 rows:untouched").
PaddingRule padding_rule(const std::string& rules, const std::string& kind);

}  // namespace assay
