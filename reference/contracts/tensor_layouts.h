// How tensors lie in memory: layouts of scales and cache records as rows of tables, their address cells, and rows in groups such as experts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"
#include "reference/table/table.h"

namespace assay {

// Cells of tables of layouts: formats, and addresses whose names are extents and coordinates of one letter.

/// The part of a cell that begins at character `from`. Throws TableError at the place of what is wrong: the grammar, or a name that is
/// none of the letters of `names`, which `in_words` explains.
Expression address_cell(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text,
                        const std::string& names, const std::string& in_words);

/// Throws TableError with near matches.
const Format* format_cell(const Table& table, const TableRow& row, const std::string& column);

// Where the scale of row r and group c lies in memory: a row of layouts.csv.

/// Addresses are in units of `element`; storage, shape and strides in units of `type`, the tensor's own.
struct Layout {
  std::string id;
  const Format* type;     ///< what the tensor is made of: f32, or int32 for packed bytes
  const Format* element;  ///< what one scale is: f32, or e8m0
  Expression rows, cols;  ///< logical extent with padding
  Expression storage;
  std::array<Expression, 2> shape, strides;
  Expression offset;      ///< of scale (r, c)
  int tile_rows = 1, tile_columns = 1;  ///< of the tile that a swizzled layout repeats
  std::string source, why;

  bool packs_words() const { return type->bits > element->bits; }  ///< several scales to an element of the tensor
};

/// A layout for m rows of g groups. The constructor and offset() throw std::domain_error for formulas that overflow, take much more than
/// the scales need, or point outside the storage.
class PlacedLayout {
 public:
  PlacedLayout(const Layout& layout, int64_t m, int64_t g);

  const Layout& layout() const { return *layout_; }
  int64_t rows() const { return rows_; }      ///< with padding
  int64_t cols() const { return cols_; }
  int64_t storage() const { return storage_; }  ///< elements of the tensor's type
  int64_t storage_elements() const { return storage_ * (layout_->type->bits / layout_->element->bits); }
  std::vector<int64_t> shape() const;
  std::vector<int64_t> strides() const;
  /// Whether (r, c), which may be padding, has an address inside the storage: padding of the last column may lie beyond it.
  bool holds(int64_t r, int64_t c) const;
  int64_t offset(int64_t r, int64_t c) const;

 private:
  int64_t value(const Expression& expression, int64_t r = 0, int64_t c = 0) const;
  const Layout* layout_;
  int64_t m_, g_, rows_, cols_, storage_;
};

/// Reads layouts.csv and evaluates every formula for some extents. Throws TableError.
std::vector<Layout> load_layouts(const std::string& file);

// Where the record of a token lies in a block of a paged cache: rows of records.csv, one for each part of the record.

/// What the elements of a part are.
enum class PartKind {
  kCodes,   ///< of the numbers from `from` on
  kScales,  ///< of the groups of the codes
  kValues,  ///< the numbers themselves from `from` on, in the format of the input
  kZeros
};

struct RecordPart {
  std::string name;
  PartKind kind;
  int64_t from = 0;      ///< first of the token's numbers that it holds
  int64_t elements = 0;  ///< of a token
  std::string format;    ///< "q", "x", or the name of one
  Expression offset;     ///< in bytes from the beginning of the block: element c of the token at position p of b

  /// `q` and `x` are the formats that the cells of those names stand for.
  const Format& format_in(const Format& q, const Format& x) const;
  int64_t byte(int64_t block_size, int64_t position, int64_t element) const;
};

struct Record {
  std::string id;
  std::vector<RecordPart> parts;  ///< in the order of the table

  const RecordPart* find(const std::string& part) const;  ///< or nullptr
  const RecordPart* find(PartKind kind) const;                ///< the first that holds such; or nullptr
  int64_t numbers() const;                                ///< of a token, that it is made of
  /// Bytes that the tokens of a block take at least.
  int64_t block_bytes(int64_t block_size, const Format& q, const Format& x) const;
};

/// Reads records.csv. Throws TableError, also for parts that overlap.
std::vector<Record> load_records(const std::string& file);

// Rows of a tensor that belong to groups, such as the tokens of each expert, and where they lie.

/// How the rows of groups lie in memory.
enum class GroupOrder {
  kContiguous,  ///< one group behind the other, no row unused
  kMasked,      ///< each group has `capacity` rows; those behind its size are unused
  kOffsets,     ///< group g begins at row offsets[g]; rows between groups are unused
  kByIndex      ///< row i belongs to group index[i]; -1: unused
};

/// "contiguous", "masked", "offsets", "by index"
const char* name(GroupOrder order);

/// Used rows are numbered group by group, from 0 to rows() - 1; stored rows are those of the tensor, from 0 to stored_rows() - 1.
class Groups {
 public:
  /// No groups: rows are those of one matrix.
  Groups() = default;
  static Groups contiguous(std::vector<int64_t> sizes);
  /// So many groups of `size` rows each.
  static Groups uniform(int64_t count, int64_t size);
  /// Throws std::invalid_argument: a group that is larger than the capacity.
  static Groups masked(std::vector<int64_t> sizes, int64_t capacity);
  /// `offsets`: a row for each group, and the number of stored rows. Throws std::invalid_argument: a group that does not fit.
  static Groups at_offsets(std::vector<int64_t> sizes, std::vector<int64_t> offsets);
  /// Throws std::invalid_argument: an index beyond `count`.
  static Groups by_index(std::vector<int64_t> index, int64_t count);

  bool any() const { return !sizes_.empty(); }
  GroupOrder order() const { return order_; }
  int64_t count() const { return int64_t(sizes_.size()); }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  int64_t capacity() const { return capacity_; }  ///< of masked groups; 0 of others
  int64_t rows() const;
  int64_t stored_rows() const { return stored_rows_; }

  /// Of the used row: its group, its number in that group, and where it lies.
  int64_t group_of(int64_t row) const;
  int64_t row_in_group(int64_t row) const;
  int64_t stored_row(int64_t row) const;
  /// The first used row of each group, and the number of all: [count + 1].
  std::vector<int64_t> first_rows() const;
  /// The stored row where each group begins, and the number of stored rows: [count + 1]. Not of groups by index.
  std::vector<int64_t> offsets() const;
  /// Of each stored row its group, or -1: [stored_rows].
  std::vector<int64_t> index() const;
  /// Stored rows that no group uses, in their order.
  void for_each_unused(const std::function<void(int64_t stored_row)>& visit) const;

  /// The same groups in the same order with other sizes. Of groups by index rows are taken from the end of a group.
  Groups with_sizes(std::vector<int64_t> sizes) const;

 private:
  GroupOrder order_ = GroupOrder::kContiguous;
  std::vector<int64_t> sizes_, offsets_, index_;
  std::vector<int64_t> used_;  ///< by index: the stored row of each used row
  int64_t capacity_ = 0, stored_rows_ = 0;
};

}  // namespace assay
