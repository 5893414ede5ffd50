// Which numbers share a scale: one alternative of a contract's `group` cell, or the `group_size` cell of a case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reference/contracts/rows.h"

namespace assay {

/// `128`: columns of one row. `128x128`: rows x columns. `row`, `column`, `tensor`: all of one.
struct GroupShape {
  int64_t rows = 1, columns = 0;  ///< 0: all that there are

  int64_t rows_of(int64_t m) const { return rows ? rows : m; }
  int64_t columns_of(int64_t n) const { return columns ? columns : n; }
};

/// Throws ParseError.
GroupShape parse_group_shape(std::string_view text);

/// Whether a group of the contract has numbers of several rows.
bool spans_rows(const ContractRow& row);

/// Whether the contract has groups of that shape. An alternative `any` stands for every number and every product.
bool has_group(const ContractRow& row, const std::string& group);

/// Whether x counts as zero beyond its edge, so that the last groups may be cut off: `x:00` in the `pad` cell.
bool pads_x(const ContractRow& row);

/// Throws TableError about the `group` cell.
void check_groups(const ContractRow& row);

}  // namespace assay
