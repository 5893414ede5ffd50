// Memory layouts: of scale tensors (layouts.csv), of cache records (records.csv), and of rows in groups such as experts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"
#include "reference/table/table.h"

namespace assay {

// Parses cells of layout tables: formats, and address formulas whose extents and coordinates are single letters.

/// Parses the text of a cell from character `from` on. Throws TableError at a syntax error, or at a name that is not in `names`;
/// the message quotes `in_words`, which explains the allowed names.
Expression address_cell(const Table& table, const TableRow& row, const std::string& column, size_t from, const std::string& text,
                        const std::string& names, const std::string& in_words);

/// The format that a cell names. Throws TableError that lists similar names.
const Format* format_cell(const Table& table, const TableRow& row, const std::string& column);

// Layouts of scale tensors: where the scale of row r and group c is stored. Each is a row of layouts.csv.

/// `offset` counts units of `element`; storage, shape and strides count units of `type`.
struct Layout {
  std::string id;
  const Format* type;     ///< type of the tensor: f32, or int32 for packed bytes
  const Format* element;  ///< format of one scale: f32 or e8m0
  Expression rows, cols;  ///< number of rows and of groups that are stored, including padding
  Expression storage;
  std::array<Expression, 2> shape, strides;
  Expression offset;      ///< address of scale (r, c)
  int tile_rows = 1, tile_columns = 1;  ///< tile of a swizzled layout
  std::string source, why;

  bool packs_words() const { return type->bytes() > element->bytes(); }  ///< true: an element of the tensor holds several scales
};

/// A layout for the scales of m rows with g groups each. The constructor and offset() throw std::domain_error if a formula
/// overflows, needs far more storage than the scales, or gives an offset outside the storage.
class PlacedLayout {
 public:
  PlacedLayout(const Layout& layout, int64_t m, int64_t g);

  const Layout& layout() const { return *layout_; }
  int64_t rows() const { return rows_; }      ///< including padding
  int64_t cols() const { return cols_; }
  int64_t storage() const { return storage_; }  ///< elements of the tensor's type
  int64_t storage_elements() const { return storage_ * (layout_->type->bytes() / layout_->element->bytes()); }
  std::vector<int64_t> shape() const;
  std::vector<int64_t> strides() const;
  int64_t offset(int64_t r, int64_t c) const;
  /// Like offset(), also for padding. No value if the offset is beyond the storage, which may end before the last padded column.
  std::optional<int64_t> offset_within(int64_t r, int64_t c) const;

 private:
  int64_t value(const Expression& expression, int64_t r = 0, int64_t c = 0) const;
  const Layout* layout_;
  int64_t m_, g_, rows_, cols_, storage_;
};

/// Reads layouts.csv, and tries every formula with several m and g. Throws TableError.
std::vector<Layout> load_layouts(const std::string& file);

// Layouts of records. A record is the entry of one token in a block of a paged cache; each part of it is a row of records.csv.

/// What a part of a record contains.
enum class PartKind {
  kCodes,   ///< codes of the token's elements from `from` on
  kScales,  ///< scales of the groups of codes
  kValues,  ///< elements from `from` on, in the input format
  kZeros
};

/// Cache of a RecordPart's byte offsets, by the token's position in the block. A case needs each offset often. Thread-safe.
class KnownOffsets;
std::shared_ptr<KnownOffsets> make_known_offsets();

struct RecordPart {
  std::string name;
  PartKind kind;
  int64_t from = 0;      ///< index, within the token, of the first element of this part
  int64_t elements = 0;  ///< per token
  std::string format;    ///< "q", "x", or the name of a format
  Expression offset;     ///< byte offset in a block of b tokens, for element c of the token at position p
  std::shared_ptr<KnownOffsets> known = make_known_offsets();  ///< offsets that were evaluated before

  /// The format of the part: the argument q or x for the names "q" and "x", otherwise the format of that name.
  const Format& format_in(const Format& q, const Format& x) const;
  int64_t byte(int64_t block_size, int64_t position, int64_t element) const;
};

struct Record {
  std::string id;
  std::vector<RecordPart> parts;  ///< in table order

  const RecordPart* find(const std::string& part) const;  ///< by name; nullptr if there is none
  const RecordPart* find(PartKind kind) const;                ///< the first part of that kind; nullptr: none
  int64_t numbers() const;                                ///< elements per token
  /// The smallest size in bytes of a block with `block_size` tokens.
  int64_t block_bytes(int64_t block_size, const Format& q, const Format& x) const;
};

/// Reads records.csv. Throws TableError for an invalid cell, and for parts that overlap.
std::vector<Record> load_records(const std::string& file);

// Groups of rows of a tensor, such as the tokens of each expert, and where they are stored.

/// How the rows of groups are stored.
enum class GroupOrder {
  kContiguous,  ///< one group after the other, without unused rows
  kMasked,      ///< each group has `capacity` rows; rows beyond the group's size are unused
  kOffsets,     ///< group g begins at row offsets[g]; rows between groups are unused
  kByIndex,     ///< row i belongs to group index[i]; -1: unused
  kPsum,        ///< each group begins at the next multiple of `capacity` rows after the end of the previous group
  kAlongK       ///< groups divide k, not rows: each has `capacity` rows of the result, one group after the other
};

/// "contiguous", "masked", "offsets", "by index", "psum" or "along k".
const char* name(GroupOrder order);

/// Used rows belong to a group and are numbered group by group, from 0 to rows() - 1. Stored rows are all rows of the tensor.
class Groups {
 public:
  /// Without groups: the rows form one matrix.
  Groups() = default;
  static Groups contiguous(std::vector<int64_t> sizes);
  /// `count` groups of `size` rows each.
  static Groups uniform(int64_t count, int64_t size);
  /// Throws std::invalid_argument if a group has more than `capacity` rows.
  static Groups masked(std::vector<int64_t> sizes, int64_t capacity);
  /// `offsets`: first row of each group, and the number of stored rows. Throws std::invalid_argument if a group does not fit.
  static Groups at_offsets(std::vector<int64_t> sizes, std::vector<int64_t> offsets);
  /// `index`: the group of each stored row, -1: unused. Throws std::invalid_argument for an index >= `count`.
  static Groups by_index(std::vector<int64_t> index, int64_t count);
  /// Each group begins at a multiple of `tile` rows. The tensor has at least `room` rows.
  static Groups psum(std::vector<int64_t> sizes, int64_t tile, int64_t room);
  /// `count` groups, each with its own part of k and `rows` rows of the result.
  static Groups along_k(int64_t count, int64_t rows);

  bool any() const { return !sizes_.empty(); }
  GroupOrder order() const { return order_; }
  int64_t count() const { return int64_t(sizes_.size()); }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  int64_t capacity() const { return capacity_; }  ///< for masked groups, psum and groups along k; 0 for others
  int64_t rows() const;
  int64_t stored_rows() const { return stored_rows_; }

  /// Group of a used row, its index in that group, and the stored row that holds it.
  int64_t group_of(int64_t row) const;
  int64_t row_in_group(int64_t row) const;
  int64_t stored_row(int64_t row) const;
  /// The first used row of each group, then the number of used rows: [count + 1].
  std::vector<int64_t> first_rows() const;
  /// The first stored row of each group, then the number of stored rows: [count + 1]. Not for groups by index.
  std::vector<int64_t> offsets() const;
  /// The group of each stored row, -1 for an unused row: [stored_rows].
  std::vector<int64_t> index() const;
  /// Calls visit for each stored row that no group uses, in ascending order.
  void for_each_unused(const std::function<void(int64_t stored_row)>& visit) const;

  /// The same groups with other sizes. For groups by index, each group loses its last rows.
  Groups with_sizes(std::vector<int64_t> sizes) const;

 private:
  GroupOrder order_ = GroupOrder::kContiguous;
  std::vector<int64_t> sizes_, offsets_, index_;
  std::vector<int64_t> used_;  ///< for groups by index: the stored row of each used row
  int64_t capacity_ = 0, stored_rows_ = 0;
};

}  // namespace assay
