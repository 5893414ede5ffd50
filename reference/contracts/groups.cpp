#include "reference/contracts/groups.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace assay {

const char* name(GroupOrder order) {
  constexpr const char* kNames[] = {"contiguous", "masked", "offsets", "by index"};
  return kNames[size_t(order)];
}

Groups Groups::contiguous(std::vector<int64_t> sizes) {
  Groups groups;
  groups.stored_rows_ = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  groups.sizes_ = std::move(sizes);
  return groups;
}

Groups Groups::uniform(int64_t count, int64_t size) { return contiguous(std::vector<int64_t>(size_t(count), size)); }

Groups Groups::masked(std::vector<int64_t> sizes, int64_t capacity) {
  for (const int64_t size : sizes)
    if (size > capacity) throw std::invalid_argument(std::to_string(size) + " are more than the room of " + std::to_string(capacity));
  Groups groups;
  groups.order_ = GroupOrder::kMasked;
  groups.capacity_ = capacity;
  groups.stored_rows_ = capacity * int64_t(sizes.size());
  groups.sizes_ = std::move(sizes);
  return groups;
}

Groups Groups::at_offsets(std::vector<int64_t> sizes, std::vector<int64_t> offsets) {
  if (offsets.size() != sizes.size() + 1) throw std::invalid_argument("expected an offset for each group and the number of rows");
  for (size_t g = 0; g < sizes.size(); ++g)
    if (offsets[g] < 0 || offsets[g] + sizes[g] > offsets[g + 1])
      throw std::invalid_argument("group " + std::to_string(g) + " of " + std::to_string(sizes[g]) + " rows does not fit between offsets " +
                                  std::to_string(offsets[g]) + " and " + std::to_string(offsets[g + 1]));
  Groups groups;
  groups.order_ = GroupOrder::kOffsets;
  groups.stored_rows_ = offsets.back();
  groups.sizes_ = std::move(sizes);
  groups.offsets_ = std::move(offsets);
  return groups;
}

Groups Groups::by_index(std::vector<int64_t> index, int64_t count) {
  Groups groups;
  groups.order_ = GroupOrder::kByIndex;
  groups.sizes_.assign(size_t(count), 0);
  for (const int64_t group : index) {
    if (group < -1 || group >= count)
      throw std::invalid_argument("expected a group below " + std::to_string(count) + " or -1, got " + std::to_string(group));
    if (group >= 0) ++groups.sizes_[size_t(group)];
  }
  groups.stored_rows_ = int64_t(index.size());
  for (int64_t row = 0; row < int64_t(index.size()); ++row)
    if (index[size_t(row)] >= 0) groups.used_.push_back(row);
  std::stable_sort(groups.used_.begin(), groups.used_.end(), [&](int64_t a, int64_t b) { return index[size_t(a)] < index[size_t(b)]; });
  groups.index_ = std::move(index);
  return groups;
}

int64_t Groups::rows() const { return std::accumulate(sizes_.begin(), sizes_.end(), int64_t{0}); }

int64_t Groups::group_of(int64_t row) const {
  int64_t group = 0;
  for (; group < count() && row >= sizes_[size_t(group)]; ++group) row -= sizes_[size_t(group)];
  return group;
}

int64_t Groups::row_in_group(int64_t row) const {
  for (int64_t group = 0; group < count() && row >= sizes_[size_t(group)]; ++group) row -= sizes_[size_t(group)];
  return row;
}

int64_t Groups::stored_row(int64_t row) const {
  if (order_ == GroupOrder::kContiguous) return row;
  if (order_ == GroupOrder::kByIndex) return used_.at(size_t(row));
  const int64_t group = group_of(row), in_group = row_in_group(row);
  return (order_ == GroupOrder::kMasked ? group * capacity_ : offsets_[size_t(group)]) + in_group;
}

std::vector<int64_t> Groups::first_rows() const {
  std::vector<int64_t> first = {0};
  for (const int64_t size : sizes_) first.push_back(first.back() + size);
  return first;
}

std::vector<int64_t> Groups::offsets() const {
  if (order_ == GroupOrder::kOffsets) return offsets_;
  if (order_ == GroupOrder::kByIndex) throw std::logic_error("groups by index begin nowhere");
  std::vector<int64_t> begins = first_rows();
  if (order_ == GroupOrder::kMasked)
    for (size_t g = 0; g < begins.size(); ++g) begins[g] = int64_t(g) * capacity_;
  return begins;
}

std::vector<int64_t> Groups::index() const {
  if (order_ == GroupOrder::kByIndex) return index_;
  std::vector<int64_t> index(size_t(stored_rows_), -1);
  const std::vector<int64_t> begins = offsets();
  for (size_t g = 0; g < sizes_.size(); ++g)
    std::fill_n(index.begin() + begins[g], sizes_[g], int64_t(g));
  return index;
}

void Groups::for_each_unused(const std::function<void(int64_t)>& visit) const {
  if (order_ == GroupOrder::kContiguous) return;
  const std::vector<int64_t> groups = index();
  for (size_t row = 0; row < groups.size(); ++row)
    if (groups[row] < 0) visit(int64_t(row));
}

Groups Groups::with_sizes(std::vector<int64_t> sizes) const {
  if (order_ == GroupOrder::kMasked) return masked(std::move(sizes), capacity_);
  if (order_ == GroupOrder::kOffsets) return at_offsets(std::move(sizes), offsets_);
  if (order_ == GroupOrder::kContiguous) return contiguous(std::move(sizes));
  std::vector<int64_t> index = index_, seen(sizes.size(), 0);
  for (int64_t& group : index)
    if (group >= 0 && seen[size_t(group)]++ >= sizes[size_t(group)]) group = -1;
  return by_index(std::move(index), count());
}

}  // namespace assay
