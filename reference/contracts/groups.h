// Groups of rows of a tensor, such as the tokens of each expert, and their placement.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace assay {

/// How the rows of groups are stored.
enum class GroupOrder {
  kContiguous,  ///< one group after the other, without unused rows
  kMasked,      ///< each group has `capacity` rows; rows beyond its size are unused
  kOffsets,     ///< group g begins at row offsets[g]; rows between groups are unused
  kByIndex      ///< row i belongs to group index[i]; -1: unused
};

/// "contiguous", "masked", "offsets" or "by index".
const char* name(GroupOrder order);

/// Used rows are numbered group by group from 0 to rows() - 1; stored rows are the tensor's rows, from 0 to stored_rows() - 1.
class Groups {
 public:
  /// No groups: the rows form one matrix.
  Groups() = default;
  static Groups contiguous(std::vector<int64_t> sizes);
  /// `count` groups of `size` rows each.
  static Groups uniform(int64_t count, int64_t size);
  /// Throws std::invalid_argument for a group larger than the capacity.
  static Groups masked(std::vector<int64_t> sizes, int64_t capacity);
  /// `offsets`: first row of each group, and the number of stored rows. Throws std::invalid_argument if a group does not fit.
  static Groups at_offsets(std::vector<int64_t> sizes, std::vector<int64_t> offsets);
  /// Throws std::invalid_argument for an index beyond `count`.
  static Groups by_index(std::vector<int64_t> index, int64_t count);

  bool any() const { return !sizes_.empty(); }
  GroupOrder order() const { return order_; }
  int64_t count() const { return int64_t(sizes_.size()); }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  int64_t capacity() const { return capacity_; }  ///< for masked groups; 0 for others
  int64_t rows() const;
  int64_t stored_rows() const { return stored_rows_; }

  /// For a used row: its group, its index in that group, and its stored row.
  int64_t group_of(int64_t row) const;
  int64_t row_in_group(int64_t row) const;
  int64_t stored_row(int64_t row) const;
  /// The first used row of each group, and the total: [count + 1].
  std::vector<int64_t> first_rows() const;
  /// The first stored row of each group, and the number of stored rows: [count + 1]. Not for groups by index.
  std::vector<int64_t> offsets() const;
  /// The group of each stored row, or -1: [stored_rows].
  std::vector<int64_t> index() const;
  /// Calls visit for stored rows that no group uses, in order.
  void for_each_unused(const std::function<void(int64_t stored_row)>& visit) const;

  /// The same groups with other sizes. For groups by index, rows are removed from the end of a group.
  Groups with_sizes(std::vector<int64_t> sizes) const;

 private:
  GroupOrder order_ = GroupOrder::kContiguous;
  std::vector<int64_t> sizes_, offsets_, index_;
  std::vector<int64_t> used_;  ///< for groups by index: the stored row of each used row
  int64_t capacity_ = 0, stored_rows_ = 0;
};

}  // namespace assay
