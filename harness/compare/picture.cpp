#include "harness/compare/picture.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace assay {
namespace {

int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

/// The smallest power of two that divides `size` into at most `most` cells.
int64_t cell_size(int64_t size, int64_t most) {
  int64_t cell = 1;
  while (blocks(size, cell) > most) cell *= 2;
  return cell;
}

int exponent(double value) {
  if (value == 0) return Picture::kZero;
  return std::isfinite(value) ? std::ilogb(value) : Picture::kNotFinite;
}

void add_magnitude(const Element& e, std::map<int, Magnitude>& magnitudes) {
  const double accepted = !e.outside ? e.value : e.ulps < 0 ? e.low : e.high;
  Magnitude& magnitude = magnitudes[exponent(accepted)];
  ++magnitude.elements;
  if (!e.outside) return;
  ++magnitude.outside;
  magnitude.worst_ulps = std::max(magnitude.worst_ulps, std::abs(e.ulps));
  magnitude.sum_ulps += std::abs(e.ulps);
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

Picture Picture::blank(const std::array<int64_t, 2>& shape) {
  Picture picture;
  picture.cell_rows = cell_size(shape[0], kMostRows);
  picture.cell_columns = cell_size(shape[1], kMostColumns);
  picture.rows = blocks(shape[0], picture.cell_rows);
  picture.columns = blocks(shape[1], picture.cell_columns);
  picture.outside.resize(size_t(picture.rows * picture.columns));
  return picture;
}

std::map<int, int64_t> Picture::ulps() const {
  std::map<int, int64_t> counts;
  for (int bin = -kMostBin; bin <= kMostBin; ++bin)
    if (const int64_t count = by_distance[size_t(kMostBin + bin)]) counts[bin] = count;
  return counts;
}

void Picture::add_outside(const Element& e, int64_t row, int64_t column) {
  ++outside[cell(row, column)];
  if (e.ulps != 0) {
    ++by_distance[size_t(kMostBin + distance_bin(e.ulps))];
  } else if (std::isnan(e.value) != std::isnan(e.low)) {
    ++(std::isnan(e.value) ? became_nan : should_be_nan);
  } else {
    ++(std::isnan(e.value) ? other_nan : sign_of_zero);
  }
}

void Picture::add_joint(int64_t row, int64_t column) {
  joint.resize(outside.size());
  const int64_t first = column == Place::kWholeRow ? 0 : column / cell_columns;
  const int64_t last = column == Place::kWholeRow ? columns - 1 : first;
  for (int64_t c = first; c <= last; ++c) ++joint[size_t(row / cell_rows * columns + c)];
}

void Picture::merge(const Picture& other) {
  for (size_t i = 0; i < outside.size(); ++i) outside[i] += other.outside[i];
  if (!other.joint.empty()) joint.resize(outside.size());
  for (size_t i = 0; i < other.joint.size(); ++i) joint[i] += other.joint[i];
  for (size_t bin = 0; bin < by_distance.size(); ++bin) by_distance[bin] += other.by_distance[bin];
  became_nan += other.became_nan;
  should_be_nan += other.should_be_nan;
  other_nan += other.other_nan;
  sign_of_zero += other.sign_of_zero;
}

void Picture::look_closer(const SampleBlock& at, const AcceptedRows& rows, const Part& part, const HostTensor& tensor) {
  for_each_element(at, part, rows, [&](int64_t row, int64_t column, Interval accepted) {
    if (accepted.any()) return;
    const Element e = element_at(part, row, column, accepted, load_code(part, tensor, part.offset(row, column)));
    add_magnitude(e, magnitudes);
    const int32_t o = ordinal(*part.format, e.code);
    if (!accepted.single() && o != kNanOrdinal) ++budget[size_t(budget_bin(budget_use(accepted, o)))];
  });
}

std::vector<Element> elements_around(const Answer& answer, size_t index, const HostTensor& tensor,
                                     const std::array<int64_t, 2>& worst) {
  constexpr int64_t kEachSide = 4;
  const Part& part = answer.parts[index];
  const int axis = part.columns() > 1 ? 1 : 0;
  const int64_t begin = std::max<int64_t>(0, worst[size_t(axis)] - kEachSide);
  const int64_t end = std::min(part.shape[size_t(axis)], worst[size_t(axis)] + kEachSide + 1);
  const int64_t first_row = axis == 1 ? worst[0] : begin, rows = axis == 1 ? 1 : end - begin;
  std::vector<Element> around;
  for (int64_t row = first_row; row < first_row + rows; ++row) {
    const int64_t step = row * part.steps_per_row;
    const AcceptedRows accepted = std::move(answer.accepted(step, step + 1).parts[index]);
    for (int64_t column = axis == 1 ? begin : 0; column < (axis == 1 ? end : 1); ++column) {
      const Interval interval = accepted.at(size_t(column));
      if (!interval.any()) around.push_back(element_at(part, row, column, interval, load_code(part, tensor, part.offset(row, column))));
    }
  }
  return around;
}

}  // namespace assay
