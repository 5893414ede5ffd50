// Offsets of the scales of a case: in one grid, or in one grid per group of rows, concatenated. The grid of a masked group covers
// its whole capacity.
#pragma once

#include <vector>

#include "reference/contracts/tensor_layouts.h"
#include "suites/rows/row_case.h"

namespace assay {

/// The layout for all scales of a case. Rows are rows of scales; units are those of PlacedLayout.
class ScalePlaces {
 public:
  ScalePlaces(const Layout& layout, const RowCase& c);
  explicit ScalePlaces(const RowCase& c) : ScalePlaces(*c.layout(), c) {}

  const Layout& layout() const { return *layout_; }
  int64_t storage() const { return storage_; }
  int64_t storage_elements() const { return storage_ * (layout_->type->bytes() / layout_->element->bytes()); }
  /// Of masked groups [groups, capacity, columns].
  std::vector<int64_t> shape() const;
  std::vector<int64_t> strides() const;
  int64_t offset(int64_t row, int64_t group) const;

  /// Calls visit(offset, row, column, beyond the last row of its grid) for storage without a scale.
  template <class Visit>
  void for_each_absent(Visit visit) const {
    for (const Grid& grid : grids_) {
      for (int64_t r = 0; r < grid.placed.rows(); ++r) {
        for (int64_t c = r < grid.rows ? groups_ : 0; c < grid.placed.cols(); ++c) {
          if (!grid.placed.holds(r, c)) continue;
          visit(grid.first_element + grid.placed.offset(r, c), grid.first_row + r, c, r >= grid.rows);
        }
      }
    }
  }

  /// For each group the number of scale rows before it, in whole tiles, and the total: the tensor blockscale_offsets.
  std::vector<int64_t> first_rows_of_tiles() const;

 private:
  struct Grid {
    PlacedLayout placed;
    int64_t rows, first_row, first_element;
  };
  const Grid& grid_of(int64_t row) const;

  const Layout* layout_;
  int64_t groups_, storage_ = 0, capacity_ = 0;
  std::vector<Grid> grids_;
};

}  // namespace assay
