// What the ops that work row by row share: the columns of their case tables, read and checked.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/contracts/scale_spec.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/contract.h"
#include "suites/rows/cells.h"

namespace assay {

/// Parameters of one case. Columns that an op's table lacks keep their zeros.
struct RowCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;  ///< the contract for the format of x
  const Format* x = nullptr;        ///< of the input
  const Format* weights = nullptr;  ///< of gamma and beta
  int64_t m = 0, n = 0;             ///< rows, columns of the output
  int64_t row_stride = 0;           ///< from a row of x to the next in memory; 0: as many as it has
  int64_t offset = 0;               ///< elements before the first row of x, which is then not aligned
  bool gated = false;               ///< a row of x is two halves of n: gate and up
  ScaleSpec scales;                 ///< none of ops without them
  Groups groups;                    ///< of rows, m in all, such as the tokens of each expert; none: one matrix
  double eps = 0;
  double scale_ub = HUGE_VAL;  ///< of contracts that bound amax by it
  std::string fill, up, residual, gamma, beta, gate, scale_fill,
      zero_fill, outer_fill;  ///< names of fills; of gated contracts `fill` is the gate's
  uint64_t seed = 0;
  int warp = 0;

  int64_t stored_rows() const { return groups.any() ? groups.stored_rows() : m; }
  /// Where a row lies among the stored ones.
  int64_t stored_row(int64_t row) const { return groups.any() ? groups.stored_row(row) : row; }
  int64_t x_columns() const { return gated ? 2 * n : n; }
  bool has_scales() const { return scales.any(); }
  int64_t group_size() const { return has_scales() ? scales.block().columns_of(n) : 0; }  ///< columns per scale
  int64_t group_rows() const { return has_scales() ? scales.block().rows_of(m) : 1; }     ///< rows per scale
  int64_t scales_of_row() const { return (n + group_size() - 1) / group_size(); }
  int64_t rows_of_scales() const { return (m + group_rows() - 1) / group_rows(); }
  const Layout* layout() const { return has_scales() ? scales.block().layout : nullptr; }  ///< of the scales of blocks
  /// Scales of the level above blocks: one for each group of rows, or those of its grid.
  int64_t outer_scales() const { return groups.any() ? groups.count() : scales.outer()->grid(m, n).count(); }
  /// The case with another number of rows.
  RowCase with_rows(int64_t rows) const;
  /// The case with fewer rows of each expert, and at least one of those that have some; itself if it has no more than that.
  RowCase with_fewer_tokens(int64_t rows) const;
};

/// Reads the columns that are there. Throws TableError naming row and column: no such contract, layout, format, fill; a group
/// size that does not divide n or that the contract does not have; a warp other than 32 and 64.
RowCase read_row_case(const Case& c);

/// The same for a contract that the case's own names, of an op that is composed of others. `has_x`: its x has a fill; it is no other
/// op's result.
RowCase read_row_case(const Cells& cells, const ContractRow& contract, bool has_x);

/// Which scales of blocks an op takes: those that are inputs, or those that it makes, in each row or across rows.
struct ScalesOfOp {
  bool given = false, across_rows = false;
};

// Each throws TableError about `contract` unless the contract

/// is a row of that flow ("group_quant", "quant_azp", "row_norm", "chain"),
void require_flow(const Cells& cells, const ContractRow& contract, const std::string& flow);
/// is a chain that begins with a row of that flow,
void require_chain(const Cells& cells, const ContractRow& contract, const std::string& first_flow);
/// subtracts the mean,
void require_mean(const Cells& cells, const ContractRow& contract);
/// adds a residual,
void require_residual(const Cells& cells, const ContractRow& contract);
/// has such scales, or the quantization at the end of its chain has,
void require_scales(const Cells& cells, const ContractRow& contract, const ScalesOfOp& scales);
/// rounds y to the format of x, which an op that stores it needs,
void require_stored_y(const Cells& cells, const ContractRow& contract);
/// needs no column that the op lacks: of a residual, a gate, a beta, an outer level of scales.
void require_columns(const Cells& cells, const ContractRow& contract);

/// "bf16.m16.n7168.g128.row" from what the op has.
std::string shape_id(const RowCase& c);

/// "rms_norm/vllm.rms_norm@v0.19.1/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32" in parts: the name of the case that `p` was read
/// from. Golden files carry it.
CaseName row_name(const Case& c, const RowCase& p);

}  // namespace assay
