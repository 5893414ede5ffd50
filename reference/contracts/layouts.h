// Storage offset of the scale of row r and group c: a row of layouts.csv.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"

namespace assay {

/// Addresses are in units of `element`; storage, shape and strides in units of the tensor's `type`.
struct Layout {
  std::string id;
  const Format* type;     ///< type of the tensor: f32, or int32 for packed bytes
  const Format* element;  ///< format of one scale: f32 or e8m0
  Expression rows, cols;  ///< logical extents including padding
  Expression storage;
  std::array<Expression, 2> shape, strides;
  Expression offset;      ///< address of scale (r, c)
  int tile_rows = 1, tile_columns = 1;  ///< tile of a swizzled layout
  std::string source, why;

  bool packs_words() const { return type->bytes() > element->bytes(); }  ///< several scales to an element of the tensor
};

/// A layout for m rows of g groups. The constructor and offset() throw std::domain_error for formulas that overflow, need far
/// more storage than the scales, or point outside the storage.
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
  /// Whether (r, c), which may be padding, is inside the storage; padding of the last column may be outside.
  bool holds(int64_t r, int64_t c) const;
  int64_t offset(int64_t r, int64_t c) const;

 private:
  int64_t value(const Expression& expression, int64_t r = 0, int64_t c = 0) const;
  const Layout* layout_;
  int64_t m_, g_, rows_, cols_, storage_;
};

/// Reads layouts.csv and evaluates every formula for some extents. Throws TableError.
std::vector<Layout> load_layouts(const std::string& file);

}  // namespace assay
