#include "harness/core/picture.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace assay {
namespace {

int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

/// The least power of two that cuts `size` into at most `most` parts.
int64_t cell_size(int64_t size, int64_t most) {
  int64_t cell = 1;
  while (blocks(size, cell) > most) cell *= 2;
  return cell;
}

int exponent(double value) {
  if (value == 0) return Picture::kZero;
  return std::isfinite(value) ? std::ilogb(value) : Picture::kNotFinite;
}

/// How far, of an element outside its set.
void book_distance(const Element& e, Picture& picture) {
  if (e.ulps != 0) {
    ++picture.ulps[distance_bin(e.ulps)];
  } else if (std::isnan(e.value) != std::isnan(e.low)) {
    ++(std::isnan(e.value) ? picture.became_nan : picture.should_be_nan);
  } else {
    ++(std::isnan(e.value) ? picture.other_nan : picture.sign_of_zero);
  }
}

void book_magnitude(const Element& e, Picture& picture) {
  const double accepted = !e.outside ? e.value : e.ulps < 0 ? e.low : e.high;
  Magnitude& magnitude = picture.magnitudes[exponent(accepted)];
  ++magnitude.elements;
  if (!e.outside) return;
  ++magnitude.outside;
  magnitude.worst_ulps = std::max(magnitude.worst_ulps, std::abs(e.ulps));
  magnitude.sum_ulps += std::abs(e.ulps);
}

/// Neighbours in the row of the worst element, or in its column where the tensor is a column.
std::vector<Element> elements_around(const ExpectedTensor& expected, const HostTensor& tensor,
                                     int64_t worst_index) {
  constexpr int64_t kEachSide = 4;
  const std::array<int64_t, 2> worst = {worst_index / expected.shape[1], worst_index % expected.shape[1]};
  const int axis = expected.shape[1] > 1 ? 1 : 0;
  std::vector<Element> around;
  const int64_t begin = std::max<int64_t>(0, worst[size_t(axis)] - kEachSide);
  const int64_t end = std::min(expected.shape[size_t(axis)], worst[size_t(axis)] + kEachSide + 1);
  for (int64_t k = begin; k < end; ++k) {
    const int64_t i = axis == 1 ? worst[0] * expected.shape[1] + k : k;
    if (accepts_anything(expected.low[size_t(i)], expected.high_at(i))) continue;
    around.push_back(element_at(expected, i, load_code(expected, tensor, expected.offset_at(i))));
  }
  return around;
}

}  // namespace

int64_t Picture::cell_elements(int64_t row, int64_t column, const std::array<int64_t, 2>& shape) const {
  return std::min(cell_rows, shape[0] - row * cell_rows) * std::min(cell_columns, shape[1] - column * cell_columns);
}

int distance_bin(int64_t ulps) {
  const int bin = int(std::bit_width(uint64_t(std::abs(ulps))));
  return ulps < 0 ? -bin : bin;
}

int budget_bin(double use) {
  if (use > 1) return use > 2 ? 11 : 10;
  return std::min(9, int(use * 10));
}

Picture picture_of(const ExpectedTensor& expected, const HostTensor& tensor, int64_t worst) {
  Picture picture;
  picture.cell_rows = cell_size(expected.shape[0], Picture::kMostRows);
  picture.cell_columns = cell_size(expected.shape[1], Picture::kMostColumns);
  picture.rows = blocks(expected.shape[0], picture.cell_rows);
  picture.columns = blocks(expected.shape[1], picture.cell_columns);
  picture.outside.resize(size_t(picture.rows * picture.columns));
  for (int64_t i = 0; i < expected.elements(); ++i) {
    const int32_t low = expected.low[size_t(i)], high = expected.high_at(i);
    if (accepts_anything(low, high)) continue;
    const Element e = element_at(expected, i, load_code(expected, tensor, expected.offset_at(i)));
    book_magnitude(e, picture);
    const int32_t o = ordinal(*expected.format, e.code);
    if (low < high && o != kNanOrdinal) ++picture.budget[size_t(budget_bin(budget_use(low, high, o)))];
    if (!e.outside) continue;
    book_distance(e, picture);
    const int64_t row = i / expected.shape[1], column = i % expected.shape[1];
    ++picture.outside[size_t(row / picture.cell_rows * picture.columns + column / picture.cell_columns)];
  }
  picture.around = elements_around(expected, tensor, worst);
  return picture;
}

}  // namespace assay
