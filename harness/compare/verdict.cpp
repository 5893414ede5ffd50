#include "harness/compare/verdict.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace assay {
namespace {

// One element of an output tensor, its value and its accepted interval.

/// Signed distance to the nearest accepted value, in ulp; 0 if either value is NaN.
int64_t ulps_outside(const Format& format, Interval accepted, int32_t o) {
  const int32_t nearest = o < accepted.low ? accepted.low : accepted.high;
  if (!format.is_integer() && (is_nan_ordinal(o) || is_nan_ordinal(accepted.low))) return 0;
  return ulps_between(format, o, nearest);
}

}  // namespace

double budget_use(Interval accepted, int32_t o) {
  return std::fabs(2.0 * o - accepted.low - accepted.high) / (double(accepted.high) - double(accepted.low));
}

int64_t stored_elements(const Part& part, const HostTensor& tensor) {
  return int64_t(tensor.bytes.size()) * (tensor.spec.packed ? 2 : 1) / part.format->bytes();
}

ByteRange bytes_of_element(const Part& part, const TensorSpec& spec, int64_t offset) {
  if (spec.packed) return {offset / 2, offset / 2 + 1};
  return {offset * part.format->bytes(), (offset + 1) * part.format->bytes()};
}

uint32_t load_code(const Part& part, const HostTensor& tensor, int64_t offset) {
  if (tensor.spec.packed) return tensor.code(offset);
  const size_t width = size_t(part.format->bytes());
  uint32_t code = 0;
  std::memcpy(&code, tensor.bytes.data() + size_t(offset) * width, width);
  return code;
}

namespace {

/// Splits a set into runs of consecutive numbers; each run is given by its first and its last number.
std::vector<std::array<int64_t, 2>> runs_of(const std::set<int64_t>& numbers) {
  std::vector<std::array<int64_t, 2>> runs;
  for (const int64_t number : numbers)
    if (!runs.empty() && runs.back()[1] + 1 == number)
      runs.back()[1] = number;
    else
      runs.push_back({number, number});
  return runs;
}

std::string run_text(int64_t first, int64_t last) {
  return std::to_string(first) + (last > first ? ".." + std::to_string(last) : "");
}

/// Text for runs that repeat, such as "4..7 of each 8", with up to kMostOfPeriod runs in a period; empty for other runs.
std::string periodic_text(const std::vector<std::array<int64_t, 2>>& runs, int64_t size) {
  constexpr size_t kMostOfPeriod = 4, kFewestPeriods = 3;
  for (size_t of_period = 1; of_period <= kMostOfPeriod && runs.size() >= kFewestPeriods * of_period; ++of_period) {
    const int64_t period = runs[of_period][0] - runs[0][0];
    bool repeats = true;
    for (size_t i = of_period; i < runs.size() && repeats; ++i) {
      const bool cut = i + 1 == runs.size() && runs[i][1] + 1 == size && runs[i][1] - period < runs[i - of_period][1];
      repeats = runs[i][0] - period == runs[i - of_period][0] && (cut || runs[i][1] - period == runs[i - of_period][1]);
    }
    if (!repeats) continue;
    std::string text;
    for (size_t i = 0; i < of_period; ++i) {
      const int64_t first = runs[i][0] % period, last = first + runs[i][1] - runs[i][0];
      if (last >= period) return "";
      text += (text.empty() ? "" : ", ") + run_text(first, last);
    }
    text += " of each " + std::to_string(period);
    if (runs[0][0] >= period) text += ", from " + std::to_string(runs[0][0]) + " on";
    if (runs[runs.size() - of_period][0] + period < size) text += ", up to " + std::to_string(runs.back()[1]);
    return text;
  }
  return "";
}

}  // namespace

std::string numbers_text(const std::set<int64_t>& numbers, int64_t size) {
  constexpr size_t kMostRuns = 8;
  const std::vector<std::array<int64_t, 2>> runs = runs_of(numbers);
  if (runs.size() > 2)
    if (std::string regular = periodic_text(runs, size); !regular.empty()) return regular;
  std::string text;
  for (size_t i = 0; i < std::min(kMostRuns, runs.size()); ++i)
    text += (text.empty() ? "" : ", ") + run_text(runs[i][0], runs[i][1]);
  return runs.size() > kMostRuns ? text + ", ... (" + std::to_string(numbers.size()) + " in all)" : text;
}

std::string places_text(const char* what, const std::set<int64_t>& numbers, int64_t size) {
  if (int64_t(numbers.size()) == size) return "";
  return what + std::string(numbers.size() == 1 ? " " : "s ") + numbers_text(numbers, size) + " of " + std::to_string(size);
}

std::string places_text(const std::set<int64_t>& rows, int64_t of_rows, const std::set<int64_t>& columns, int64_t of_columns) {
  const std::string text = places_text("row", rows, of_rows), of_column = places_text("column", columns, of_columns);
  return text + (text.empty() || of_column.empty() ? "" : ", ") + of_column;
}

Element element_at(const Part& part, int64_t row, int64_t column, Interval accepted, uint32_t code) {
  const Format& format = *part.format;
  Element e;
  e.at = {part.number_of(row), column};
  e.code = code;
  e.value = decode(format, code);
  e.low_code = code_from_ordinal(format, accepted.low);
  e.high_code = code_from_ordinal(format, accepted.high);
  e.low = decode(format, e.low_code);
  e.high = decode(format, e.high_code);
  const int32_t o = ordinal(format, code);
  e.outside = !accepted.holds(format, o);
  if (e.outside) e.ulps = ulps_outside(format, accepted, o);
  return e;
}

namespace {

// Fast conversion of many codes to ordinals, at memory bandwidth.

/// Constants for a branch-free conversion of codes to ordinals.
struct Layout {
  int32_t bits;           ///< mask of the bits of a code
  int32_t sign;           ///< sign bit, or 0
  int32_t largest;        ///< a code without its sign bit is treated as NaN if it is larger
  int32_t negative_zero;  ///< ordinal of -0 (only the sign bit set)
  int32_t nan, nan_bits;  ///< the ordinal of a NaN code is nan - (code & nan_bits)
};

Layout layout_of(const Format& format) {
  const bool infinity = format.specials == Specials::kIeee;
  const uint32_t sign = format.has_sign() ? 1u << (format.bits - 1) : 0u;
  const bool fnuz = format.specials == Specials::kFnuz;
  const uint32_t bits = uint32_t(format.code_count() - 1);
  const bool counts_on = format.nan_by_code && format.bits == 32 && infinity;  // NaN codes get the ordinals after that of Inf
  return {int32_t(bits),
          int32_t(sign),
          counts_on ? int32_t(~sign) : int32_t(code_of(format, infinity ? HUGE_VAL : max_finite(format))),
          fnuz ? ordinal(format, sign) : -1,
          format.nan_by_code ? kNanOrdinal - 1 : kNanOrdinal,
          format.nan_by_code ? int32_t(bits) : 0};
}

template <class Code>
void convert(const Layout layout, const std::byte* codes, std::span<int32_t> ordinals) {
  for (size_t i = 0; i < ordinals.size(); ++i) {
    Code stored;
    std::memcpy(&stored, codes + i * sizeof(Code), sizeof(Code));
    const int32_t code = int32_t(stored) & layout.bits;
    const int32_t magnitude = code & ~layout.sign;
    const int32_t negative = -int32_t((code & layout.sign) != 0);  // all bits are ones for a negative code: m ^ -1 is -m - 1
    const int32_t number = magnitude > layout.largest ? layout.nan - (code & layout.nan_bits) : magnitude ^ negative;
    ordinals[i] = number == -1 ? layout.negative_zero : number;
  }
}

template <class Code>
void widen(const std::byte* codes, std::span<int32_t> ordinals) {
  for (size_t i = 0; i < ordinals.size(); ++i) {
    Code code;
    std::memcpy(&code, codes + i * sizeof(Code), sizeof(Code));
    ordinals[i] = code;
  }
}

}  // namespace

void ordinals_of_codes(const Format& format, const std::byte* codes, std::span<int32_t> ordinals) {
  if (format.is_integer()) {
    return format.bytes() == 1 ? widen<int8_t>(codes, ordinals) : widen<int32_t>(codes, ordinals);
  }
  const Layout layout = layout_of(format);
  if (format.bytes() == 1) return convert<uint8_t>(layout, codes, ordinals);
  if (format.bytes() == 2) return convert<uint16_t>(layout, codes, ordinals);
  return convert<uint32_t>(layout, codes, ordinals);
}

bool all_equal(const int32_t* a, const int32_t* b, int64_t count) {
  return std::memcmp(a, b, size_t(count) * sizeof(int32_t)) == 0;
}

namespace {

// Where the elements of one part are wrong, and by how much, in limited memory.

int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

/// The extent of a cell: the smallest power of two for which at most `most` cells cover `size` elements.
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
  rows_outside.add(row);
  columns_outside.add(column);
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
  rows_outside.merge(other.rows_outside);
  columns_outside.merge(other.columns_outside);
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
      if (!interval.any())
        around.push_back(element_at(part, row, column, interval, load_code(part, tensor, part.offset(row, column))));
    }
  }
  return around;
}

namespace {

// The detection power of a case's data: which mutants of its contract they expose, and which codes occur in the outputs.

/// Nonzero magnitudes below this are subnormal; 0 for formats without subnormals.
double smallest_normal(const Format& format) {
  const bool has_subnormals = !format.is_integer() && format.specials != Specials::kScale && format.specials != Specials::kBits;
  return has_subnormals ? std::ldexp(1.0, format.min_exponent()) : 0;
}

}  // namespace

DataPower data_power(const WholePart& expected) {
  const Format& format = *expected.part.format;
  DataPower power{expected.part.label(), std::string(format.name), expected.part.elements(), {}, 0, 0, 0};
  const double normal = smallest_normal(format), largest = max_finite(format);
  for (int64_t i = 0; i < expected.part.elements(); ++i) {
    const Interval accepted = expected.at(i);
    if (accepted.any()) continue;
    const uint32_t code = code_from_ordinal(format, accepted.low);
    const double a = decode(format, code), b = accepted.single() ? a : decode(format, code_from_ordinal(format, accepted.high));
    if (accepted.single() && format.bits == 8) power.codes.set(code);
    power.not_a_number += std::isnan(a);
    if (a * b > 0 && format.specials != Specials::kBits) {  // both have the same sign, and neither is zero or NaN
      power.subnormal += std::fmax(std::fabs(a), std::fabs(b)) < normal;
      power.saturated += std::fmin(std::fabs(a), std::fabs(b)) == largest;
    }
  }
  return power;
}

}  // namespace assay
