// Which elements share a scale, on one or two levels. Parsed from the cell `group` or `scales` of a contract and from the cell of
// a case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"

namespace assay {

/// The scales of one level of a tensor: their number, and which scale belongs to each element.
struct LevelGrid {
  int64_t rows = 1, columns = 1;  ///< shape of the scale tensor
  int64_t row_block = 0;          ///< rows of the tensor that share a scale; 0: all
  int64_t column_block = 0;       ///< columns of the tensor that share a scale; 0: all

  int64_t of(int64_t row, int64_t column) const {
    return (row_block > 0 ? row / row_block : 0) * columns + (column_block > 0 ? column / column_block : 0);
  }
  int64_t count() const { return rows * columns; }
};

/// One level of scales: block size, format and memory layout.
struct ScaleLevel {
  int64_t rows = 1, columns = 0;   ///< rows and columns that share a scale; 0: all of them
  const Format* format = nullptr;  ///< format of a stored scale; null: Layout::element, or f32 without a layout
  const Layout* layout = nullptr;  ///< null: dense and row-major
  bool given = false;              ///< true: the scales are an input of the call, not an output

  int64_t rows_of(int64_t m) const { return rows ? rows : m; }
  int64_t columns_of(int64_t n) const { return columns ? columns : n; }
  LevelGrid grid(int64_t m, int64_t n) const;
};

/// Syntax. `128`: blocks of 128 columns of one row. `128x128`: rows x columns. `row`, `column`, `tensor`: one scale for a whole
/// row, column or tensor. `16+tensor`: blocks of 16 whose scales are relative to a scale of the whole tensor, an input.
struct ScaleSpec {
  std::vector<ScaleLevel> levels;  ///< finest first; empty: no scales

  bool any() const { return !levels.empty(); }
  const ScaleLevel& block() const { return levels.front(); }
  ScaleLevel& block() { return levels.front(); }
  /// The level above the blocks, or null.
  const ScaleLevel* outer() const { return levels.size() > 1 ? &levels[1] : nullptr; }
};

/// Throws ParseError for an unknown form, more than two levels, or an outer level that is not coarser than the blocks.
ScaleSpec parse_scale_spec(std::string_view text);

/// True if a group of the contract covers several rows.
bool spans_rows(const ContractRow& row);

/// Whether the contract's scales are relative to a scale of an outer level. That scale is an input.
bool has_outer_scales(const ContractRow& row);

/// Whether the contract allows groups of that shape. The alternative `any` in the contract's cell allows every size.
bool has_group(const ContractRow& row, const std::string& group);

/// True if the last group of a row or column may be incomplete: the missing elements of x count as 0 (`x:00` in the cell `pad`).
bool pads_x(const ContractRow& row);

/// Checks the cell `group`. Throws TableError for an invalid group, or for alternatives with different numbers of levels.
void check_groups(const ContractRow& row);

}  // namespace assay
