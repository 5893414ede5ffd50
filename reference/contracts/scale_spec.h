// How elements share scales, on one or two levels, the finest first. Parsed from a contract's `group` or `scales` cell and from a
// case's cell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"

namespace assay {

/// The scales of one level for a tensor: how many there are, and which scale each element has.
struct LevelGrid {
  int64_t rows = 1, columns = 1;  ///< shape of the scale tensor
  int64_t row_block = 0;          ///< rows of the tensor per scale; 0: all
  int64_t column_block = 0;       ///< columns per scale; 0: all

  int64_t of(int64_t row, int64_t column) const {
    return (row_block > 0 ? row / row_block : 0) * columns + (column_block > 0 ? column / column_block : 0);
  }
  int64_t count() const { return rows * columns; }
};

/// One level of scales: block size, storage format and layout.
struct ScaleLevel {
  int64_t rows = 1, columns = 0;   ///< shape of a block; 0: the whole extent
  const Format* format = nullptr;  ///< format of a stored scale; null: the layout's element, or f32
  const Layout* layout = nullptr;  ///< null: dense and row-major
  bool given = false;              ///< an input of the call instead of an output

  int64_t rows_of(int64_t m) const { return rows ? rows : m; }
  int64_t columns_of(int64_t n) const { return columns ? columns : n; }
  LevelGrid grid(int64_t m, int64_t n) const;
};

/// Syntax. `128`: blocks of 128 columns of one row. `128x128`: rows x columns. `row`, `column`, `tensor`: one scale for all of
/// it. `16+tensor`: blocks of 16 whose scales are relative to one given scale of the whole tensor.
struct ScaleSpec {
  std::vector<ScaleLevel> levels;  ///< finest first; empty: no scales

  bool any() const { return !levels.empty(); }
  const ScaleLevel& block() const { return levels.front(); }
  ScaleLevel& block() { return levels.front(); }
  /// The level above the blocks, or null.
  const ScaleLevel* outer() const { return levels.size() > 1 ? &levels[1] : nullptr; }
};

/// Throws ParseError: an unknown form, more than two levels, or an outer level that is not coarser.
ScaleSpec parse_scale_spec(std::string_view text);

/// True if a group of the contract covers several rows.
bool spans_rows(const ContractRow& row);

/// Whether the contract's scales are relative to an outer level, which is then an input.
bool has_outer_scales(const ContractRow& row);

/// Whether the contract has groups of that shape. The alternative `any` stands for every size.
bool has_group(const ContractRow& row, const std::string& group);

/// True if x counts as zero beyond its edge, so that the last groups may be incomplete: `x:00` in the `pad` cell.
bool pads_x(const ContractRow& row);

/// Throws TableError about the `group` cell: an invalid group, or a mix of alternatives with one and two levels.
void check_groups(const ContractRow& row);

}  // namespace assay
