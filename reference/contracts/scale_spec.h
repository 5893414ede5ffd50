// How numbers share scales: one or several levels, the finest first. A contract's `group` or `scales` cell and the cell of a case say it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"

namespace assay {

/// The scales of one level for a tensor: how many there are, and which one an element has.
struct LevelGrid {
  int64_t rows = 1, columns = 1;  ///< of scales
  int64_t row_block = 0;          ///< rows of the tensor that share one; 0: all
  int64_t column_block = 0;       ///< columns that share one; 0: all

  int64_t of(int64_t row, int64_t column) const {
    return (row_block > 0 ? row / row_block : 0) * columns + (column_block > 0 ? column / column_block : 0);
  }
  int64_t count() const { return rows * columns; }
};

/// One level of scales: which elements share one, in which format it is stored, and where.
struct ScaleLevel {
  int64_t rows = 1, columns = 0;   ///< of a block; 0: all that there are
  const Format* format = nullptr;  ///< of one stored scale; null: the layout's element, or f32
  const Layout* layout = nullptr;  ///< null: dense and row-major
  bool given = false;              ///< an input of the call, which does not make it

  int64_t rows_of(int64_t m) const { return rows ? rows : m; }
  int64_t columns_of(int64_t n) const { return columns ? columns : n; }
  LevelGrid grid(int64_t m, int64_t n) const;
};

/// `128`: blocks of 128 columns of one row. `128x128`: rows x columns. `row`, `column`, `tensor`: all of one. `16+tensor`: blocks of 16,
/// whose scales are themselves relative to one scale of the whole tensor, which is an input.
struct ScaleSpec {
  std::vector<ScaleLevel> levels;  ///< the finest first; empty: no scales

  bool any() const { return !levels.empty(); }
  const ScaleLevel& block() const { return levels.front(); }
  ScaleLevel& block() { return levels.front(); }
  /// The level above the blocks, or null.
  const ScaleLevel* outer() const { return levels.size() > 1 ? &levels[1] : nullptr; }
};

/// Throws ParseError: a form that is none of those above, more than two levels, an outer level that is not coarser.
ScaleSpec parse_scale_spec(std::string_view text);

/// Whether a group of the contract has numbers of several rows.
bool spans_rows(const ContractRow& row);

/// Whether the contract's scales are relative to an outer level, which then is an input.
bool has_outer_scales(const ContractRow& row);

/// Whether the contract has groups of that shape. An alternative `any` stands for every number and every product.
bool has_group(const ContractRow& row, const std::string& group);

/// Whether x counts as zero beyond its edge, so that the last groups may be cut off: `x:00` in the `pad` cell.
bool pads_x(const ContractRow& row);

/// Throws TableError about the `group` cell: what is no group, alternatives of one and of two levels.
void check_groups(const ContractRow& row);

}  // namespace assay
