#include "suites/rows/places.h"

#include <algorithm>

namespace assay {

ScalePlaces::ScalePlaces(const Layout& layout, const RowCase& c) : layout_(&layout), groups_(c.scales_of_row()) {
  const std::vector<int64_t> rows = c.groups.any() ? c.groups.sizes() : std::vector<int64_t>{c.rows_of_scales()};
  capacity_ = c.groups.capacity();
  int64_t first_row = 0;
  for (int64_t count : rows) {
    const PlacedLayout placed(layout, capacity_ > 0 ? capacity_ : count, groups_);
    grids_.push_back({placed, count, first_row, storage_elements()});
    storage_ += placed.storage();
    first_row += count;
  }
}

std::vector<int64_t> ScalePlaces::shape() const {
  std::vector<int64_t> shape = grids_.front().placed.shape();
  if (capacity_ > 0) return {int64_t(grids_.size()), capacity_, shape[1]};
  if (grids_.size() == 1) return shape;
  return {first_rows_of_tiles().back(), shape[1]};
}

std::vector<int64_t> ScalePlaces::strides() const {
  const std::vector<int64_t> of_grid = grids_.front().placed.strides();
  return capacity_ > 0 ? std::vector<int64_t>{grids_.front().placed.storage(), of_grid[0], of_grid[1]} : of_grid;
}

std::vector<int64_t> ScalePlaces::first_rows_of_tiles() const {
  std::vector<int64_t> first = {0};
  for (const Grid& grid : grids_) first.push_back(first.back() + grid.placed.shape()[0]);
  return first;
}

const ScalePlaces::Grid& ScalePlaces::grid_of(int64_t row) const {
  const auto after =
      std::upper_bound(grids_.begin(), grids_.end(), row, [](int64_t r, const Grid& g) { return r < g.first_row; });
  return *std::prev(after);
}

int64_t ScalePlaces::offset(int64_t row, int64_t group) const {
  const Grid& grid = grid_of(row);
  return grid.first_element + grid.placed.offset(row - grid.first_row, group);
}

}  // namespace assay
